// Bytes with the slack behind them that simdjson reads into.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

namespace cloudeasyml::protocols {

/// A growable byte buffer whose capacity always exceeds its size by the parser's padding. Clearing
/// it keeps the memory, so a reused buffer costs no allocation.
class PaddedBuffer {
 public:
  /// At least SIMDJSON_PADDING.
  static constexpr size_t kPadding = 64;

  PaddedBuffer() = default;
  PaddedBuffer(const PaddedBuffer&) = delete;
  PaddedBuffer& operator=(const PaddedBuffer&) = delete;
  ~PaddedBuffer() { std::free(data_); }

  void reserve(size_t size) {
    if (size + kPadding <= capacity_) return;
    auto* grown = static_cast<char*>(std::realloc(data_, size + kPadding));
    if (!grown) throw std::bad_alloc();
    data_ = grown;
    capacity_ = size + kPadding;
  }

  void append(const void* bytes, size_t size) {
    if (size_ + size + kPadding > capacity_) {
      reserve(size_ == 0 ? size : (size_ + size) * 2);
    }
    if (size > 0) std::memcpy(data_ + size_, bytes, size);
    size_ += size;
  }

  /// Forgets the content; gives the memory back where it is larger than `keep` bytes.
  void clear(size_t keep) noexcept {
    size_ = 0;
    if (capacity_ > keep + kPadding) {
      std::free(data_);
      data_ = nullptr;
      capacity_ = 0;
    }
  }

  size_t size() const noexcept { return size_; }
  size_t capacity() const noexcept { return capacity_; }
  std::string_view view() const noexcept { return {data_, size_}; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace cloudeasyml::protocols
