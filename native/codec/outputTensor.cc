#include "codec/outputTensor.h"

#include "codec/half.h"
#include "codec/jsonText.h"
#include "runtime/elementType.h"
#include "runtime/error.h"

namespace cloudeasyml::codec {

OutputTensor::OutputTensor(const Ort::Value& value) {
  if (!value.HasValue() || !value.IsTensor()) {
    throw Error(ErrorCode::kRuntimeFailed,
                "The model's output is not a tensor; JSON cannot show it.");
  }
  const auto info = value.GetTensorTypeAndShapeInfo();
  type_ = info.GetElementType();
  dims_ = info.GetShape();
  for (size_t axis = 1; axis < dims_.size(); ++axis) rowSize_ *= static_cast<size_t>(dims_[axis]);
  if (type_ != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    data_ = value.GetTensorRawData();
    return;
  }
  const size_t count = info.GetElementCount();
  strings_.reserve(count);
  for (size_t i = 0; i < count; ++i) strings_.push_back(value.GetStringTensorElement(i));
}

void OutputTensor::writeRow(std::string& out, size_t row) const {
  size_t element = row * rowSize_;
  writeAxis(out, 1, element);
}

void OutputTensor::writeAll(std::string& out) const {
  size_t element = 0;
  writeAxis(out, 0, element);
}

void OutputTensor::writeBytes(std::string& out, size_t from, size_t count) const {
  if (type_ != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    const size_t size = runtime::elementSize(type_);
    out.append(static_cast<const char*>(data_) + from * size, count * size);
    return;
  }
  for (size_t i = from; i < from + count; ++i) {
    const auto length = static_cast<uint32_t>(strings_[i].size());
    out.append(reinterpret_cast<const char*>(&length), sizeof length);
    out += strings_[i];
  }
}

void OutputTensor::writeAxis(std::string& out, size_t axis, size_t& element) const {
  if (axis >= dims_.size()) {
    writeElement(out, element++);
    return;
  }
  out += '[';
  for (int64_t i = 0; i < dims_[axis]; ++i) {
    if (i > 0) out += ',';
    writeAxis(out, axis + 1, element);
  }
  out += ']';
}

void OutputTensor::writeElement(std::string& out, size_t element) const {
  const auto at = [&](auto* typed) { return typed[element]; };
  switch (type_) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return writeFloat(out, at(static_cast<const float*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return writeDouble(out, at(static_cast<const double*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return writeFloat(out, fromFloat16(at(static_cast<const uint16_t*>(data_))));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return writeFloat(out, fromBfloat16(at(static_cast<const uint16_t*>(data_))));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
      return writeInteger(out, at(static_cast<const int8_t*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
      return writeInteger(out, at(static_cast<const int16_t*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return writeInteger(out, at(static_cast<const int32_t*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return writeInteger(out, at(static_cast<const int64_t*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return writeUnsigned(out, at(static_cast<const uint8_t*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
      return writeUnsigned(out, at(static_cast<const uint16_t*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return writeUnsigned(out, at(static_cast<const uint32_t*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
      return writeUnsigned(out, at(static_cast<const uint64_t*>(data_)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      out += at(static_cast<const uint8_t*>(data_)) ? "true" : "false";
      return;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      return writeString(out, strings_[element]);
    default:
      throw Error(ErrorCode::kRuntimeFailed,
                  "The output's element type cannot be written as JSON.");
  }
}

}  // namespace cloudeasyml::codec
