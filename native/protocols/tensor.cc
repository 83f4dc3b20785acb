#include "protocols/tensor.h"

#include <algorithm>
#include <utility>

namespace cloudeasyml::protocols {

namespace {

constexpr uint64_t kMostElements = uint64_t{1} << 60;

}  // namespace

void Tensor::clear() noexcept {
  dims.clear();
  used_ = 0;
  borrowed_ = nullptr;
  texts_.clear();
  ends_.clear();
}

char* Tensor::resize(size_t bytes) {
  borrowed_ = nullptr;
  if (bytes > bytes_.size()) bytes_.resize(bytes);
  used_ = bytes;
  return bytes_.data();
}

void Tensor::borrow(const void* elements, size_t bytes) noexcept {
  borrowed_ = static_cast<const char*>(elements);
  used_ = bytes;
}

void Tensor::pushText(std::string_view text) {
  texts_.append(text);
  ends_.push_back(texts_.size());
}

char* Tensor::resizeTexts(size_t bytes, std::vector<size_t> ends) {
  texts_.resize(bytes);
  ends_ = std::move(ends);
  return texts_.data();
}

bool Tensor::equals(const Tensor& other) const noexcept {
  if (type != other.type || dims != other.dims) return false;
  if (isText()) return ends_ == other.ends_ && texts_ == other.texts_;
  return used_ == other.used_ && (used_ == 0 || std::memcmp(data(), other.data(), used_) == 0);
}

size_t Tensor::capacity() const noexcept {
  return bytes_.capacity() + texts_.capacity() + ends_.capacity() * sizeof(size_t);
}

void Tensor::release() noexcept {
  clear();
  std::vector<char>().swap(bytes_);
  std::string().swap(texts_);
  std::vector<size_t>().swap(ends_);
}

size_t Tensor::product(size_t fromAxis) const noexcept {
  size_t count = 1;
  for (size_t axis = fromAxis; axis < dims.size(); ++axis) {
    count *= static_cast<size_t>(dims[axis]);
  }
  return count;
}

uint64_t elementsOf(const std::vector<int64_t>& dims) noexcept {
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return 0;
  uint64_t count = 1;
  for (const int64_t dim : dims) {
    if (count > kMostElements / static_cast<uint64_t>(dim)) return kMostElements;
    count *= static_cast<uint64_t>(dim);
  }
  return count;
}

}  // namespace cloudeasyml::protocols
