#include "runtime/elementType.h"

#include <cstdint>

namespace cloudeasyml::runtime {

namespace {

struct ElementType {
  ONNXTensorElementDataType type;
  const char* name;
  size_t size;
};

constexpr ElementType kElementTypes[] = {
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "float32", 4},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, "float64", 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, "float16", 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, "bfloat16", 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, "int8", 1},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, "uint8", 1},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, "int16", 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, "uint16", 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, "int32", 4},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, "uint32", 4},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, "int64", 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, "uint64", 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, "bool", 1},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, "string", 0},
    // Known by name only, so that a message can say what a model asks for.
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64, "complex64", 0},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128, "complex128", 0},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN, "float8e4m3fn", 0},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ, "float8e4m3fnuz", 0},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2, "float8e5m2", 0},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ, "float8e5m2fnuz", 0},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4, "uint4", 0},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4, "int4", 0},
};

}  // namespace

const char* elementTypeName(ONNXTensorElementDataType type) noexcept {
  for (const auto& known : kElementTypes) {
    if (known.type == type) return known.name;
  }
  return "unknown";
}

size_t elementSize(ONNXTensorElementDataType type) noexcept {
  for (const auto& known : kElementTypes) {
    if (known.type == type) return known.size;
  }
  return 0;
}

ONNXTensorElementDataType elementTypeOf(const std::string& name) noexcept {
  for (const auto& known : kElementTypes) {
    if (name == known.name) return known.type;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

}  // namespace cloudeasyml::runtime
