// ORT values from JavaScript's memory, and JavaScript's views of ORT's memory.
#pragma once

#include <napi.h>
#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bindings/addonData.h"
#include "runtime/session.h"

namespace cloudeasyml::bindings {

using Dims = std::vector<int64_t>;

/// Reads `rank` numbers that JavaScript wrote. Throws where one is no axis length.
Dims readDims(const double* numbers, size_t rank);

Dims dimsFrom(Napi::Array array);

/// A tensor's shape as an array of numbers.
Napi::Array dimsOf(Napi::Env env, const Ort::Value& value);

/// Bytes of a tensor of this shape and type. Throws where that overflows.
size_t byteLengthOf(const Dims& dims, ONNXTensorElementDataType type);

/// A tensor over `available` bytes of memory that the caller keeps alive. `name` is the input's or
/// output's, for the message where the memory is too small.
Ort::Value wrapMemory(void* memory, size_t available, const Dims& dims,
                      ONNXTensorElementDataType type, const std::string& name);

/// A tensor over a typed array's memory, which the caller keeps alive.
Ort::Value wrapTypedArray(Napi::Env env, napi_value typedArray, const Dims& dims,
                          ONNXTensorElementDataType type, const std::string& name);

/// A tensor of strings, copied out of a JavaScript array.
Ort::Value copyStrings(Napi::Env env, napi_value array, const Dims& dims, const std::string& name);

/// Either, as the input's type asks.
Ort::Value tensorFrom(Napi::Env env, napi_value data, const Dims& dims,
                      const runtime::TensorInfo& info);

/// An ArrayBuffer over ORT's memory, which is freed when the buffer is collected; `keptAlive` until
/// then. Null where it is better to copy.
napi_value viewOf(Napi::Env env, Ort::Value& value, size_t bytes, std::shared_ptr<void> keptAlive);

/// A tensor's elements for JavaScript: an array of strings, or an ArrayBuffer. The buffer views
/// ORT's memory where that is worth it, and frees it when it is collected. `session` is kept until
/// then.
napi_value elementsOf(Napi::Env env, Ort::Value value, std::shared_ptr<runtime::Session> session);

}  // namespace cloudeasyml::bindings
