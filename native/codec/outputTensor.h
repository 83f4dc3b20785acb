// Tensors to JSON, and to bytes.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cloudeasyml::codec {

/// One output of a run, opened for writing rows of it.
class OutputTensor {
 public:
  /// @throws Error runtime_failed where the value is no tensor of a type that JSON can show
  explicit OutputTensor(const Ort::Value& value);

  const std::vector<int64_t>& dims() const noexcept { return dims_; }
  /// Appends row `row` of the first axis, as nested arrays.
  void writeRow(std::string& out, size_t row) const;
  /// Appends the whole tensor; a scalar becomes a bare value.
  void writeAll(std::string& out) const;

  ONNXTensorElementDataType type() const noexcept { return type_; }
  /// Elements in a row of the first axis.
  size_t rowSize() const noexcept { return rowSize_; }
  /// Appends the bytes of elements [from, from + count), as codec/binaryTensors.h has them.
  void writeBytes(std::string& out, size_t from, size_t count) const;

 private:
  void writeAxis(std::string& out, size_t axis, size_t& element) const;
  void writeElement(std::string& out, size_t element) const;

  ONNXTensorElementDataType type_ = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  std::vector<int64_t> dims_;
  size_t rowSize_ = 1;
  const void* data_ = nullptr;
  std::vector<std::string> strings_;
};

}  // namespace cloudeasyml::codec
