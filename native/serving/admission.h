// What becomes of a request that is handed in.
#pragma once

#include <cstdint>

namespace cloudeasyml::serving {

enum class Admission : int32_t {
  kQueued = 0,
  kNoDeployment = 1,
  kNotAccepting = 2,
  kQueueFull = 3,
  /// The model answers whole requests only.
  kNoStreams = 9,
  /// Its streams are as many as may be open.
  kStreamsFull = 10,
  /// By what requests take it could not be answered before its deadline.
  kShed = 11,
};

}  // namespace cloudeasyml::serving
