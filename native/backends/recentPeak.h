// How much of a resource was needed recently.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace cloudeasyml::backends {

/// The most that was used at once over the last one to two windows of uses.
class RecentPeak {
 public:
  /// Notes a use. @returns whether a window has ended, a good moment to look at most()
  bool note(size_t amount) noexcept {
    current_ = std::max(current_, amount);
    if (++uses_ < kWindow) return false;
    uses_ = 0;
    last_ = current_;
    current_ = 0;
    return true;
  }
  size_t most() const noexcept { return std::max(last_, current_); }

 private:
  static constexpr uint32_t kWindow = 64;

  size_t last_ = 0;
  size_t current_ = 0;
  uint32_t uses_ = 0;
};

}  // namespace cloudeasyml::backends
