#include "support/requests.h"

#include "codec/requestBody.h"
#include "codec/requestError.h"
#include "runtime/elementType.h"

namespace cloudeasyml::test {

namespace {

/// A copy of what was sent, in memory that ends where the parser may read no further.
class Received {
 public:
  explicit Received(const Sent& sent) : body_{bytes_, sent.binary} {
    bytes_.reserve(sent.bytes.size());
    std::memset(const_cast<char*>(bytes_.view().data()), sent.behind, bytes_.capacity());
    bytes_.append(sent.bytes.data(), sent.bytes.size());
  }
  const codec::Body& body() const { return body_; }

 private:
  codec::PaddedBuffer bytes_;
  codec::Body body_;
};

std::vector<codec::InputSpec> specsOf(const Signature& signature) {
  std::vector<codec::InputSpec> specs;
  for (const auto& input : signature.inputs) {
    specs.push_back({input.name, input.type, input.batched, input.rowDims});
  }
  return specs;
}

ReadTensor tensorOf(const codec::RowTensor& tensor) {
  return {tensor.rowDims, tensor.rows, std::string(tensor.bytes.data(), tensor.used),
          tensor.strings};
}

}  // namespace

struct Reader::State {
  codec::RequestReader reader;
  codec::ParsedRequest parsed;
};

Reader::Reader() : state_(std::make_unique<State>()) {}
Reader::~Reader() = default;

ReadRequest Reader::read(const Sent& sent, const Signature& signature) {
  const Received received(sent);
  auto& [reader, parsed] = *state_;
  ReadRequest result;
  try {
    reader.read(received.body(), specsOf(signature), signature.outputs, parsed);
  } catch (const codec::RequestError& fault) {
    result.code = fault.code();
    result.path = fault.path();
    result.detail = fault.what();
    return result;
  }
  for (const auto& input : parsed.inputs) result.inputs.push_back(tensorOf(input));
  result.rows = parsed.rows;
  result.outputs = parsed.outputs;
  return result;
}

uint32_t Reader::countRows(const Sent& sent) {
  const Received received(sent);
  try {
    return state_->reader.countRows(received.body());
  } catch (const codec::RequestError&) {
    return 0;
  }
}

bool isJson(const Sent& sent) { return codec::isJson(Received(sent).body()); }

size_t elementSize(ONNXTensorElementDataType type) { return runtime::elementSize(type); }

std::string elementName(ONNXTensorElementDataType type) { return runtime::elementTypeName(type); }

}  // namespace cloudeasyml::test
