#include "backends/outputValues.h"

#include <utility>
#include <vector>

#include "runtime/elementType.h"
#include "runtime/error.h"

namespace cloudeasyml::backends {

namespace {

using protocols::Tensor;
using protocols::Value;

void openTexts(const Ort::Value& output, size_t count, Tensor& tensor) {
  const size_t bytes = output.GetStringTensorDataLength();
  std::vector<size_t> starts(count);
  std::vector<size_t> ends(count, bytes);
  std::string texts(bytes, '\0');
  if (count > 0) output.GetStringTensorContent(texts.data(), bytes, starts.data(), count);
  for (size_t i = 0; i + 1 < count; ++i) ends[i] = starts[i + 1];
  texts.copy(tensor.resizeTexts(bytes, std::move(ends)), bytes);
}

void openTensor(const Ort::Value& output, Tensor& tensor) {
  const int64_t* dims = nullptr;
  size_t rank = 0;
  Ort::ThrowOnError(
      Ort::GetApi().GetTensorElementTypeAndShapeDataReference(output, &tensor.type, &dims, &rank));
  tensor.dims.assign(dims, dims + rank);
  if (tensor.isText()) {
    openTexts(output, tensor.elementCount(), tensor);
    return;
  }
  const size_t size = runtime::elementSize(tensor.type);
  if (size == 0) {
    throw Error(ErrorCode::kRuntimeFailed, std::string("The model's output is a tensor of ") +
                                               runtime::elementTypeName(tensor.type) +
                                               ", which no answer carries.");
  }
  tensor.borrow(output.GetTensorRawData(), tensor.elementCount() * size);
}

// What a sequence or a map holds comes as copies, which nothing would keep: its numbers are copied.
Value copyValue(const Ort::Value& item) {
  Value value = openValue(item);
  if (value.kind == Value::Kind::kTensor && !value.tensor.isText()) {
    const char* from = value.tensor.data();
    const size_t bytes = value.tensor.byteLength();
    Tensor copy;
    copy.type = value.tensor.type;
    copy.dims = value.tensor.dims;
    char* to = copy.resize(bytes);
    if (bytes > 0) std::memcpy(to, from, bytes);
    value.tensor = std::move(copy);
  }
  return value;
}

}  // namespace

Value openValue(const Ort::Value& output) {
  if (!output.HasValue()) {
    throw Error(ErrorCode::kRuntimeFailed,
                "An output of the model is absent; no answer can show it.");
  }
  Value value;
  if (output.IsTensor()) {
    openTensor(output, value.tensor);
    return value;
  }
  const auto type = output.GetTypeInfo().GetONNXType();
  if (type != ONNX_TYPE_SEQUENCE && type != ONNX_TYPE_MAP) {
    throw Error(ErrorCode::kRuntimeFailed,
                "An output of the model is of a type that no answer carries.");
  }
  value.kind = type == ONNX_TYPE_MAP ? Value::Kind::kMap : Value::Kind::kSequence;
  Ort::AllocatorWithDefaultOptions allocator;
  const size_t count = output.GetCount();
  value.items.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    value.items.push_back(copyValue(output.GetValue(static_cast<int>(i), allocator)));
  }
  return value;
}

}  // namespace cloudeasyml::backends
