// A deployment's limits.
#pragma once

#include <cstddef>
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
  /// Bytes of an answer, or of one of a stream's outputs.
  size_t answerBytes = size_t{64} << 20;
};

/// Work that a worker is woken for at once. A wake-up costs as much as submitting several requests;
/// for less work it waits for the end of the turn.
constexpr int64_t kWorthWakingNs = 40'000;

/// Work that a front end runs itself, because a worker's wake-up and its answer's cost more. The
/// estimate is an average, and sockets wait during the run. So bodies must be small, and no recent
/// request may have been slow. A run that is slow anyway is cancelled, and a worker repeats it.
constexpr int64_t kInlineNs = 15'000;
constexpr int64_t kInlineSlowestNs = 1'000'000;
constexpr size_t kInlineBytes = 4096;
/// With so few cores a woken worker takes the core of the front end or of its clients. Everything
/// below kWorthWakingNs is then run inline.
constexpr unsigned kFewCores = 2;

}  // namespace cloudeasyml::serving
