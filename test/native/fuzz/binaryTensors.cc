// Binary frames to tensors, for models of many kinds, and back.
#include <string>

#include "fuzz/signatures.h"
#include "fuzz/strictJson.h"
#include "fuzz/target.h"
#include "support/frames.h"
#include "support/numbers.h"
#include "support/requests.h"

using namespace cloudeasyml::test;

namespace {

/// Between header and tensors: the fuzzer would hardly find a header's length. No JSON has it.
constexpr char kSeparator = '\1';

std::string frameOf(std::string_view bytes) {
  const size_t header = std::min(bytes.find(kSeparator), bytes.size());
  return joinFrame(bytes.substr(0, header), bytes.substr(std::min(header + 1, bytes.size())));
}

std::string dimsOf(const ReadTensor& tensor, const Input& input) {
  std::string text = input.batched ? std::to_string(tensor.rows) : "";
  for (const int64_t dim : tensor.rowDims) {
    text += (text.empty() ? "" : ",") + std::to_string(dim);
  }
  return "[" + text + "]";
}

/// The frame that a client would send of what was read.
std::string writeRequest(const ReadRequest& request, const Signature& signature) {
  std::string header;
  std::string bytes;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const auto& tensor = request.inputs[i];
    const auto& input = signature.inputs[i];
    header += (i == 0 ? "" : ",") + std::string("{\"name\":") + jsonString(input.name) +
              ",\"type\":\"" + elementName(input.type) + "\",\"dims\":" + dimsOf(tensor, input) +
              "}";
    bytes += tensor.bytes;
    for (const auto& text : tensor.strings) {
      const auto length = static_cast<uint32_t>(text.size());
      bytes.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
    }
  }
  return joinFrame("{\"tensors\":[" + header + "]}", bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const auto signature = chooseSignature(input);
  const bool raw = input.choose(10) == 9;
  const auto frame = raw ? std::string(input.rest()) : frameOf(input.rest());

  static Reader reader;
  const auto request = read({frame, true, '\0'}, signature);
  REQUIRE(request == reader.read({frame, true, '\xFF'}, signature));
  reader.countRows({frame, true, '7'});
  isJson({frame, true, ']'});
  if (!request.accepted()) {
    REQUIRE(request.code == "invalid_input" || request.code == "malformed_json");
    return 0;
  }
  REQUIRE(StrictJson(*headerOf(frame)).valid());
  requireShapes(request, signature);
  auto again = reader.read({writeRequest(request, signature), true, '\0'}, signature);
  again.outputs = request.outputs;
  REQUIRE(again == request);
  return 0;
}
