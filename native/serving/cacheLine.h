// How cores pass memory on.
#pragma once

#include <cstddef>

namespace cloudeasyml::serving {

/// Cores pass memory on by lines of so many bytes. What different threads write lies on lines of
/// its own, so that none waits for what it does not need.
constexpr size_t kCacheLine = 64;

}  // namespace cloudeasyml::serving
