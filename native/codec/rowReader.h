// JSON rows to tensor memory.
#pragma once

#include <onnxruntime_c_api.h>
#include <simdjson.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace cloudeasyml::codec {

/// What a model's input takes.
struct InputSpec {
  std::string name;
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  /// False for a scalar input, which all rows of a run share.
  bool batched = true;
  /// The axes behind the batch axis; -1 where each request may choose.
  std::vector<int64_t> rowDims;
};

/// Rows of one input, packed as ORT reads them.
struct RowTensor {
  /// The axes behind the batch axis, all known. Empty for rows that are single values.
  std::vector<int64_t> rowDims;
  uint32_t rows = 0;
  /// Elements of every type but strings: the first `used` bytes, the rest is room to grow.
  std::vector<char> bytes;
  size_t used = 0;
  std::vector<std::string> strings;

  void clear() {
    rowDims.clear();
    rows = 0;
    used = 0;
    strings.clear();
  }

  template <typename T>
  void push(T value) {
    if (used + sizeof value > bytes.size()) bytes.resize(bytes.size() * 2 + 256);
    std::memcpy(bytes.data() + used, &value, sizeof value);
    used += sizeof value;
  }
};

/// Reads an input's rows: nested arrays as deep as the input has axes. Numbers must fit the element
/// type exactly in kind (no fractions for integers) and in range.
///
/// @param path how messages call `value`: `data`, `data.image`
/// @throws RequestError naming the row, what was expected and what came
void readRows(simdjson::ondemand::value value, const InputSpec& spec, const std::string& path,
              RowTensor& out);

/// Turns a parser's error into a RequestError malformed_json.
[[noreturn]] void throwMalformed(simdjson::error_code error);

/// Walks a value to its end, so that a fault anywhere in it is found.
void validate(simdjson::ondemand::value value, int depth = 0);

/// Whether a text is a JSON number, of any size, and space behind it.
bool isNumberText(std::string_view text);

/// Unwraps a parser's answer or throws malformed_json.
template <typename T>
T parsed(simdjson::simdjson_result<T> result) {
  T value;
  if (const auto error = std::forward<simdjson::simdjson_result<T>>(result).get(value)) {
    throwMalformed(error);
  }
  return value;
}

}  // namespace cloudeasyml::codec
