// The serving layer's one clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace cloudeasyml::serving {

/// Nanoseconds of the monotonic clock.
inline int64_t nowNs() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kMicrosecond = 1'000;

}  // namespace cloudeasyml::serving
