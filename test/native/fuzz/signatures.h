// The models that fuzzed requests are for.
#pragma once

#include <iterator>
#include <vector>

#include "fuzz/target.h"
#include "support/requests.h"

namespace cloudeasyml::test {

constexpr ONNXTensorElementDataType kElementTypes[] = {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,   ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,   ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING,  ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,   ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32};

/// A model by two bytes of the input: its element type and its shape.
inline Signature chooseSignature(FuzzInput& input) {
  const auto type = kElementTypes[input.choose(std::size(kElementTypes))];
  static const std::vector<std::vector<int64_t>> kRows = {{-1},     {},      {2}, {2, 2},
                                                          {-1, -1}, {3, -1}, {0}};
  const size_t shape = input.choose(kRows.size() + 1);
  if (shape < kRows.size()) return oneInput(type, kRows[shape]);
  return {{{"x", type, {-1}},
           {"mask", ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, {}},
           {"rate", type, {}, false}},
          {"label", "scores"}};
}

/// What must hold of any request that was accepted: all inputs have the memory that their shapes
/// say, and as many rows as the request.
inline void requireShapes(const ReadRequest& request, const Signature& signature) {
  REQUIRE(request.rows > 0);
  REQUIRE(request.inputs.size() == signature.inputs.size());
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const auto& read = request.inputs[i];
    const auto& input = signature.inputs[i];
    REQUIRE(read.rows == (input.batched ? request.rows : 1));
    REQUIRE(read.rowDims.size() == input.rowDims.size());
    size_t elements = read.rows;
    for (size_t axis = 0; axis < read.rowDims.size(); ++axis) {
      const int64_t expected = input.rowDims[axis];
      REQUIRE(read.rowDims[axis] >= 0);
      REQUIRE(expected < 0 || expected == read.rowDims[axis]);
      elements *= static_cast<size_t>(read.rowDims[axis]);
    }
    const bool isText = input.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
    REQUIRE(read.strings.size() == (isText ? elements : 0));
    REQUIRE(read.bytes.size() == elements * elementSize(input.type));
    if (input.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL) continue;
    for (const char byte : read.bytes) REQUIRE(byte == 0 || byte == 1);
  }
  for (const uint32_t output : request.outputs) REQUIRE(output < signature.outputs.size());
}

}  // namespace cloudeasyml::test
