#include "backends/inputValues.h"

#include <algorithm>
#include <cstring>

#include "runtime/elementType.h"

namespace cloudeasyml::backends {

namespace {

using protocols::Tensor;

/// Calls visit(tensor, row, count) for each request's share of the rows.
template <typename Visit>
void forEachShare(const Group& group, size_t input, const RunRows& rows, Visit visit) {
  size_t start = 0;
  for (const auto* request : group) {
    const auto& tensor = request->inputs[input];
    const auto own = static_cast<size_t>(tensor.dims[0]);
    const size_t begin = std::max(rows.from, start);
    const size_t end = std::min(rows.from + rows.count, start + own);
    if (begin < end) visit(tensor, begin - start, end - begin);
    start += own;
  }
}

void setText(Ort::Value& value, size_t index, std::string_view text) {
  // With its length: a string may hold zero bytes.
  char* memory = value.GetResizedStringTensorElementBuffer(index, text.size());
  if (!text.empty()) std::memcpy(memory, text.data(), text.size());
}

Ort::Value textValue(const std::vector<int64_t>& dims) {
  Ort::AllocatorWithDefaultOptions allocator;
  return Ort::Value::CreateTensor(allocator, dims.data(), dims.size(),
                                  ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
}

}  // namespace

Ort::Value InputGatherer::gather(const protocols::InputSpec& spec, size_t input, const Group& group,
                                 const RunRows& rows) {
  if (memory_.size() <= input) memory_.resize(input + 1);
  const auto& first = group.front()->inputs[input];
  auto dims = first.dims;
  const size_t rowSize = first.rowSize();
  if (spec.byRows) dims[0] = static_cast<int64_t>(rows.padded);

  if (spec.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    auto value = textValue(dims);
    if (!spec.byRows) {
      for (size_t i = 0; i < first.textCount(); ++i) setText(value, i, first.text(i));
      return value;
    }
    size_t at = 0;
    forEachShare(group, input, rows, [&](const Tensor& tensor, size_t row, size_t count) {
      for (size_t i = row * rowSize; i < (row + count) * rowSize; ++i) {
        setText(value, at++, tensor.text(i));
      }
    });
    return value;
  }

  const size_t rowBytes = rowSize * runtime::elementSize(spec.type);
  const size_t bytes = spec.byRows ? rows.padded * rowBytes : first.byteLength();
  auto& memory = memory_[input];
  // ONNX Runtime wants an address even where there is nothing at it.
  if (memory.empty()) memory.resize(1);
  const char* data = memory.data();
  if (bytes == 0) {
    // Nothing to gather.
  } else if (!spec.byRows) {
    data = first.data();
  } else if (rows.count == rows.padded && group.size() == 1) {
    data = first.data() + rows.from * rowBytes;
  } else {
    memory.resize(std::max(memory.size(), bytes));
    data = memory.data();
    size_t at = 0;
    forEachShare(group, input, rows, [&](const Tensor& tensor, size_t row, size_t count) {
      std::memcpy(memory.data() + at, tensor.data() + row * rowBytes, count * rowBytes);
      at += count * rowBytes;
    });
    std::memset(memory.data() + at, 0, bytes - at);
  }
  return Ort::Value::CreateTensor(cpu_, const_cast<char*>(data), bytes, dims.data(), dims.size(),
                                  spec.type);
}

size_t InputGatherer::capacity() const noexcept {
  size_t bytes = 0;
  for (const auto& each : memory_) bytes += each.capacity();
  return bytes;
}

}  // namespace cloudeasyml::backends
