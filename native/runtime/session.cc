#include "runtime/session.h"

#include <utility>

#include "runtime/deviceMemory.h"

namespace cloudeasyml::runtime {

namespace {

TensorInfo describe(std::string name, const Ort::TypeInfo& typeInfo) {
  TensorInfo info;
  info.name = std::move(name);
  // Sequences, maps and optionals stay UNDEFINED.
  if (typeInfo.GetONNXType() != ONNX_TYPE_TENSOR) return info;
  const auto tensor = typeInfo.GetTensorTypeAndShapeInfo();
  info.type = tensor.GetElementType();
  info.dims = tensor.GetShape();
  for (const char* name : tensor.GetSymbolicDimensions()) info.dimNames.emplace_back(name);
  return info;
}

std::vector<const char*> namesOf(const std::vector<TensorInfo>& infos) {
  std::vector<const char*> names;
  for (const auto& info : infos) names.push_back(info.name.c_str());
  return names;
}

}  // namespace

Session::Session(Ort::Session session, std::vector<std::string> providers, int deviceId)
    : session_(std::move(session)),
      providers_(std::move(providers)),
      deviceId_(deviceId),
      hasDeviceMemory_(runtime::hasDeviceMemory(*this)) {
  Ort::AllocatorWithDefaultOptions allocator;
  for (size_t i = 0; i < session_.GetInputCount(); ++i) {
    inputs_.push_back(
        describe(session_.GetInputNameAllocated(i, allocator).get(), session_.GetInputTypeInfo(i)));
  }
  for (size_t i = 0; i < session_.GetOutputCount(); ++i) {
    outputs_.push_back(describe(session_.GetOutputNameAllocated(i, allocator).get(),
                                session_.GetOutputTypeInfo(i)));
  }
  inputNames_ = namesOf(inputs_);
  outputNames_ = namesOf(outputs_);
}

}  // namespace cloudeasyml::runtime
