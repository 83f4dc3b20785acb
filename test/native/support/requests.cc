#include "support/requests.h"

#include "protocols/jsonRequest.h"
#include "protocols/requestError.h"
#include "runtime/elementType.h"

namespace cloudeasyml::test {

namespace {

/// A copy of what was sent, in memory that ends where the parser may read no further.
class Received {
 public:
  explicit Received(const Sent& sent) : isFrame_(sent.binary) {
    bytes_.reserve(sent.bytes.size());
    std::memset(const_cast<char*>(bytes_.view().data()), sent.behind, bytes_.capacity());
    bytes_.append(sent.bytes.data(), sent.bytes.size());
  }
  protocols::JsonSource source() const {
    return isFrame_ ? protocols::JsonSource::ofFrame(bytes_)
                    : protocols::JsonSource::ofText(bytes_);
  }

 private:
  const bool isFrame_;
  protocols::PaddedBuffer bytes_;
};

protocols::Signature modelOf(const Signature& signature) {
  protocols::Signature model;
  for (const auto& input : signature.inputs) {
    auto dims = input.rowDims;
    if (input.batched) dims.insert(dims.begin(), -1);
    model.inputs.push_back({input.name, input.type, std::move(dims), input.batched});
  }
  for (const auto& output : signature.outputs) model.outputs.push_back({output, true, {}});
  return model;
}

ReadTensor tensorOf(const protocols::Tensor& tensor, bool batched) {
  ReadTensor read;
  read.rowDims.assign(tensor.dims.begin() + (batched ? 1 : 0), tensor.dims.end());
  read.rows = batched ? static_cast<uint32_t>(tensor.dims[0]) : 1;
  if (tensor.byteLength() > 0) read.bytes.assign(tensor.data(), tensor.byteLength());
  for (size_t i = 0; i < tensor.textCount(); ++i) read.strings.emplace_back(tensor.text(i));
  return read;
}

}  // namespace

struct Reader::State {
  protocols::JsonReader reader;
  protocols::DecodedRequest decoded;
};

Reader::Reader() : state_(std::make_unique<State>()) {}
Reader::~Reader() = default;

ReadRequest Reader::read(const Sent& sent, const Signature& signature) {
  const Received received(sent);
  auto& [reader, decoded] = *state_;
  ReadRequest result;
  try {
    reader.read(received.source(), modelOf(signature), decoded);
  } catch (const protocols::RequestError& fault) {
    result.code = nameOf(fault.code());
    result.path = fault.path();
    result.detail = fault.what();
    return result;
  }
  for (size_t i = 0; i < decoded.inputs.size(); ++i) {
    result.inputs.push_back(tensorOf(decoded.inputs[i], signature.inputs[i].batched));
  }
  result.rows = decoded.rows;
  result.outputs = decoded.outputs;
  return result;
}

uint32_t Reader::countRows(const Sent& sent) {
  const Received received(sent);
  try {
    return state_->reader.countRows(received.source());
  } catch (const protocols::RequestError&) {
    return 0;
  }
}

bool isJson(const Sent& sent) { return protocols::isJson(Received(sent).source()); }

size_t elementSize(ONNXTensorElementDataType type) { return runtime::elementSize(type); }

std::string elementName(ONNXTensorElementDataType type) { return runtime::elementTypeName(type); }

}  // namespace cloudeasyml::test
