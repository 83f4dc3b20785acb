#include "runtime/session.h"

#include <utility>

#include "runtime/elementType.h"

namespace cloudeasyml::runtime {

namespace {

/// UNDEFINED where the type is not a tensor's.
ONNXTensorElementDataType elementTypeOf(const Ort::TypeInfo& type) {
  return type.GetONNXType() == ONNX_TYPE_TENSOR ? type.GetTensorTypeAndShapeInfo().GetElementType()
                                                : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

void describeTensor(TensorInfo& info, const Ort::TypeInfo& type) {
  const auto tensor = type.GetTensorTypeAndShapeInfo();
  info.kind = ValueKind::kTensor;
  info.type = tensor.GetElementType();
  info.dims = tensor.GetShape();
  for (const char* name : tensor.GetSymbolicDimensions()) info.dimNames.emplace_back(name);
}

void describeMap(TensorInfo& info, ValueKind kind, const Ort::TypeInfo& type) {
  const auto map = type.GetMapTypeInfo();
  info.kind = kind;
  info.keyType = map.GetMapKeyType();
  info.valueType = elementTypeOf(map.GetMapValueType());
}

void describeSequence(TensorInfo& info, const Ort::TypeInfo& type) {
  const auto element = type.GetSequenceTypeInfo().GetSequenceElementType();
  if (element.GetONNXType() == ONNX_TYPE_MAP) {
    describeMap(info, ValueKind::kSequenceOfMaps, element);
    return;
  }
  info.valueType = elementTypeOf(element);
  const bool ofTensors = info.valueType != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  info.kind = ofTensors ? ValueKind::kSequenceOfTensors : ValueKind::kOther;
}

void describeOptional(TensorInfo& info, const Ort::TypeInfo& type) {
  const auto content = type.GetOptionalTypeInfo().GetOptionalElementType();
  info.kind = ValueKind::kOptional;
  info.valueType = content.GetONNXType() == ONNX_TYPE_SEQUENCE
                       ? elementTypeOf(content.GetSequenceTypeInfo().GetSequenceElementType())
                       : elementTypeOf(content);
}

TensorInfo describe(std::string name, const Ort::TypeInfo& type) {
  TensorInfo info;
  info.name = std::move(name);
  switch (type.GetONNXType()) {
    case ONNX_TYPE_TENSOR:
      describeTensor(info, type);
      break;
    case ONNX_TYPE_SEQUENCE:
      describeSequence(info, type);
      break;
    case ONNX_TYPE_MAP:
      describeMap(info, ValueKind::kMap, type);
      break;
    case ONNX_TYPE_OPTIONAL:
      describeOptional(info, type);
      break;
    default:
      info.kind = ValueKind::kOther;
  }
  return info;
}

std::vector<const char*> namesOf(const std::vector<TensorInfo>& infos) {
  std::vector<const char*> names;
  for (const auto& info : infos) names.push_back(info.name.c_str());
  return names;
}

}  // namespace

std::string describeType(const TensorInfo& info) {
  const std::string value = elementTypeName(info.valueType);
  const std::string map = std::string("map(") + elementTypeName(info.keyType) + ", " + value + ")";
  switch (info.kind) {
    case ValueKind::kTensor:
      return elementTypeName(info.type);
    case ValueKind::kSequenceOfTensors:
      return "sequence(" + value + ")";
    case ValueKind::kSequenceOfMaps:
      return "sequence(" + map + ")";
    case ValueKind::kMap:
      return map;
    case ValueKind::kOptional:
      return "optional(" + value + ")";
    case ValueKind::kOther:
      break;
  }
  return "other";
}

Session::Session(Ort::Session session, std::vector<std::string> providers,
                 std::shared_ptr<std::mutex> deviceLock)
    : deviceLock_(std::move(deviceLock)),
      session_(std::move(session)),
      memory_(session_),
      providers_(std::move(providers)) {
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
