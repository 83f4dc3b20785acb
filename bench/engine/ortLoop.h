// What the C loops share: the library that the engine uses, a session, and one input from a file.
#pragma once

#include <dlfcn.h>
#include <onnxruntime_cxx_api.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

inline double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline const OrtApi* apiOf(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw std::runtime_error(dlerror());
  const auto getBase = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  if (!getBase) throw std::runtime_error("OrtGetApiBase is missing.");
  const OrtApi* api = getBase()->GetApi(ORT_API_VERSION);
  if (!api) throw std::runtime_error("The ONNX Runtime library is older than the headers.");
  return api;
}

inline std::string readFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string("Can't read ") + path + ".");
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Ort::Session openSession(const Ort::Env& env, const char* model, int intraOpThreads) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(intraOpThreads);
  options.SetInterOpNumThreads(1);
  return Ort::Session(env, model, options);
}

/// Sizes of the axes, from text such as "128x512".
inline std::vector<int64_t> parseShape(const std::string& text) {
  std::vector<int64_t> shape;
  std::istringstream stream(text);
  for (std::string size; std::getline(stream, size, 'x');) shape.push_back(std::stoll(size));
  return shape;
}

/// Named as the bench's JavaScript names the types.
inline ONNXTensorElementDataType elementType(const std::string& name) {
  static const std::array<std::pair<const char*, ONNXTensorElementDataType>, 14> types{{
      {"float32", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
      {"float64", ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
      {"float16", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
      {"bfloat16", ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
      {"int8", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
      {"uint8", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
      {"int16", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
      {"uint16", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16},
      {"int32", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
      {"uint32", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
      {"int64", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
      {"uint64", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64},
      {"bool", ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
      {"string", ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING},
  }};
  for (const auto& [known, type] : types) {
    if (name == known) return type;
  }
  throw std::runtime_error("There is no element type \"" + name + "\".");
}

/// Over `bytes`, which must outlive it; strings, a line each, are copied.
inline Ort::Value tensorOver(std::string& bytes, ONNXTensorElementDataType type,
                             const std::vector<int64_t>& shape) {
  if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    return Ort::Value::CreateTensor(memory, bytes.data(), bytes.size(), shape.data(), shape.size(),
                                    type);
  }
  std::vector<std::string> lines;
  std::istringstream stream(bytes);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::vector<const char*> texts;
  for (const auto& line : lines) texts.push_back(line.c_str());
  Ort::AllocatorWithDefaultOptions allocator;
  auto value = Ort::Value::CreateTensor(allocator, shape.data(), shape.size(), type);
  value.FillStringTensor(texts.data(), texts.size());
  return value;
}

/// The elements' bytes, or the strings, a line each.
inline void writeTensor(const char* path, const Ort::Value& value) {
  std::ofstream file(path, std::ios::binary);
  const auto info = value.GetTensorTypeAndShapeInfo();
  const size_t elements = info.GetElementCount();
  if (info.GetElementType() != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    const size_t bytes = value.GetTensorSizeInBytes();
    file.write(static_cast<const char*>(value.GetTensorRawData()),
               static_cast<std::streamsize>(bytes));
    return;
  }
  for (size_t i = 0; i < elements; ++i) file << value.GetStringTensorElement(i) << '\n';
}

}  // namespace bench
