// The size of a cache line.
#pragma once

#include <cstddef>

namespace cloudeasyml::serving {

/// Bytes of a cache line. Data that different threads write is aligned to lines of its own, against
/// false sharing.
constexpr size_t kCacheLine = 64;

}  // namespace cloudeasyml::serving
