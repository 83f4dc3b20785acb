// What the engine knows of each ONNX tensor element type.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstddef>
#include <string>

namespace cloudeasyml::runtime {

/// The type's name in JavaScript and in messages: "float32", "int64", "string", …
const char* elementTypeName(ONNXTensorElementDataType type) noexcept;

/// Bytes per element; 0 for strings and for types that the engine does not carry.
size_t elementSize(ONNXTensorElementDataType type) noexcept;

/// The inverse of elementTypeName; ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED for a name that is none.
ONNXTensorElementDataType elementTypeOf(const std::string& name) noexcept;

}  // namespace cloudeasyml::runtime
