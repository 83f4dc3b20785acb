// The serving layer's one clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace cloudeasyml::serving {

/// Nanoseconds of the monotonic clock.
inline int64_t nowNs() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Later than every moment.
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kMicrosecond = 1'000;

}  // namespace cloudeasyml::serving
