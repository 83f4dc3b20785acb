// How many bytes of bodies a front end may hold.
#pragma once

#include <atomic>
#include <cstddef>

#include "serving/cacheLine.h"

namespace cloudeasyml::serving {

/// One thread takes bytes, any thread gives them back.
class ByteBudget {
 public:
  explicit ByteBudget(size_t most) : most_(most) {}

  /// @returns false where the budget would be exceeded
  bool take(size_t bytes) noexcept {
    if (held_ + bytes > most_) held_ -= returned_.exchange(0, std::memory_order_relaxed);
    if (held_ + bytes > most_) return false;
    held_ += bytes;
    return true;
  }

  void give(size_t bytes) noexcept { returned_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  const size_t most_;
  /// Includes those in `returned_`.
  size_t held_ = 0;
  alignas(kCacheLine) std::atomic<size_t> returned_{0};
};

}  // namespace cloudeasyml::serving
