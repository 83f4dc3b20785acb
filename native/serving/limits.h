// The bounds that a deployment sets its requests.
#pragma once

#include <cstdint>

namespace cloudeasyml::serving {

struct BatchLimits {
  /// Rows, not requests; at least one.
  uint32_t maxBatchSize = 32;
  /// How long the oldest request may wait for others to join its batch.
  int64_t maxQueueDelayNs = 0;
  /// Requests that may wait; one more is refused.
  uint32_t maxQueueSize = 1024;
  /// From a request's arrival to the latest moment of its answer; of a stream, how long its plugin
  /// may take for a step. A request may ask for less.
  int64_t timeoutNs = 30'000'000'000;
  /// Streams that may be open; 0 where the model has none.
  uint32_t maxStreams = 0;
};

/// Work worth waking a worker for at once: what it does meanwhile is worth more than the wake-up,
/// which costs as much as handing in several requests.
constexpr int64_t kWorthWakingNs = 40'000;

/// Work that a front end runs itself, because handing it to a worker and being woken by it costs
/// more. That goes by what requests took on average, so their bodies must be small, and none may
/// have taken long of late: while it runs, sockets wait. One that takes long all the same is
/// stopped, and a worker starts it again.
constexpr int64_t kInlineNs = 15'000;
constexpr int64_t kInlineSlowestNs = 1'000'000;
constexpr size_t kInlineBytes = 4096;
/// With so few cores a worker that wakes takes that of the front end or of its clients. All that is
/// not worth waking one for is run inline then.
constexpr unsigned kFewCores = 2;

}  // namespace cloudeasyml::serving
