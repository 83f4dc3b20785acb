// What the engine knows of a deployment: where its requests wait and how they are batched.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "serving/batchSizes.h"
#include "serving/cacheLine.h"
#include "serving/onnxModel.h"
#include "serving/requestStack.h"

namespace cloudeasyml::serving {

struct BatchLimits {
  /// Rows, not requests.
  uint32_t maxBatchSize = 32;
  /// How long the oldest request may wait for others to join its batch.
  int64_t maxQueueDelayNs = 0;
  /// Requests that may wait; one more is refused.
  uint32_t maxQueueSize = 1024;
  /// From a request's arrival to the latest moment of its answer; of a stream, how long its plugin
  /// may take for a step.
  int64_t timeoutNs = 30'000'000'000;
  /// Streams that may be open; 0 where the model has none.
  uint32_t maxStreams = 0;
};

class Deployment {
 public:
  Deployment(std::string id, uint32_t handle, uint32_t owner, BatchLimits limits,
             std::shared_ptr<const OnnxModel> model)
      : id(std::move(id)), handle(handle), owner(owner), limits(limits), model(std::move(model)) {}

  const std::string id;
  /// Short name of the deployment between the engine and its callers.
  const uint32_t handle;
  /// Whose requests it takes.
  const uint32_t owner;
  const BatchLimits limits;
  /// Set where the engine runs the model by itself; null for plugins with code.
  const std::shared_ptr<const OnnxModel> model;

  /// Not before it is loaded. Guarded by the scheduler's directory lock.
  bool accepting = false;

  /// Requests that were handed in and are not in `queue` yet.
  alignas(kCacheLine) RequestStack arrivals;
  /// Requests in `arrivals` and `queue` that have not ended.
  std::atomic<uint32_t> waiting{0};
  /// A moving average of a worker's time per request. Until there is one a request counts as much
  /// work.
  std::atomic<int64_t> requestNs{1'000'000};

  // The rest is guarded by the scheduler's mutex.

  /// In order of arrival. Requests that ended while they waited stay until they reach the front.
  alignas(kCacheLine) std::deque<Request*> queue;
  /// The most that a batch took per request; it fades as others take less.
  int64_t slowestNs = 1'000'000;
  /// Of a model without code, whose batches nothing else goes on beside.
  BatchSizes batchSizes;
  /// Batches that workers hold.
  uint32_t running = 0;
  /// Streams that workers hold.
  uint32_t streams = 0;
  /// Time that workers spent on it, advanced when it wakes from idleness: the least served goes
  /// first.
  int64_t servedNs = 0;
};

}  // namespace cloudeasyml::serving
