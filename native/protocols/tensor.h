// A tensor's type, shape and elements.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace cloudeasyml::protocols {

/// A tensor in the CPU's memory: what a protocol decodes, a backend runs and a protocol encodes.
///
/// Its elements are its own, or borrowed from memory that outlives it. Clearing it keeps its
/// memory, so a reused tensor costs no allocation.
class Tensor {
 public:
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  /// One length per axis; empty for a scalar.
  std::vector<int64_t> dims;

  void clear() noexcept;

  /// Appends an element.
  template <typename T>
  void push(T value) {
    if (used_ + sizeof value > bytes_.size()) bytes_.resize(bytes_.size() * 2 + 256);
    std::memcpy(bytes_.data() + used_, &value, sizeof value);
    used_ += sizeof value;
  }
  /// Makes room for the bytes of all elements, which the caller writes.
  char* resize(size_t bytes);
  /// Uses elements where they lie. Their owner must outlive the tensor's use.
  void borrow(const void* elements, size_t bytes) noexcept;
  /// Appends an element of a string tensor.
  void pushText(std::string_view text);
  /// Makes room for strings of so many bytes together, which the caller writes.
  /// @param ends takes where each string ends
  char* resizeTexts(size_t bytes, std::vector<size_t> ends);

  /// The elements, row-major; of no use for strings.
  const char* data() const noexcept { return borrowed_ ? borrowed_ : bytes_.data(); }
  size_t byteLength() const noexcept { return used_; }
  /// Element `index` of a string tensor.
  std::string_view text(size_t index) const noexcept {
    const size_t start = index == 0 ? 0 : ends_[index - 1];
    return {texts_.data() + start, ends_[index] - start};
  }
  size_t textCount() const noexcept { return ends_.size(); }
  bool isText() const noexcept { return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING; }

  /// Elements in all.
  size_t elementCount() const noexcept { return product(0); }
  /// Elements in a row of the first axis.
  size_t rowSize() const noexcept { return product(1); }

  /// Whether type, shape and elements are the same, bit by bit.
  bool equals(const Tensor& other) const noexcept;

  /// Bytes that it holds on to.
  size_t capacity() const noexcept;
  /// Gives its memory back.
  void release() noexcept;

 private:
  size_t product(size_t fromAxis) const noexcept;

  /// The first `used_` bytes are elements, the rest is room to grow.
  std::vector<char> bytes_;
  size_t used_ = 0;
  const char* borrowed_ = nullptr;
  /// Of a string tensor: the elements one behind the other, and where each ends.
  std::string texts_;
  std::vector<size_t> ends_;
};

/// Elements of a shape; 2⁶⁰, more than memory holds, where the product would be larger.
uint64_t elementsOf(const std::vector<int64_t>& dims) noexcept;

}  // namespace cloudeasyml::protocols
