// One deployment's waiting requests, and the order in which they leave.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "generated/constants.h"
#include "protocols/envelope.h"
#include "serving/batchSizes.h"
#include "serving/cacheLine.h"
#include "serving/deferred.h"
#include "serving/limits.h"
#include "serving/loadEstimate.h"
#include "serving/requestStack.h"

namespace cloudeasyml::serving {

/// How the batches of a queue are made.
struct BatchPolicy {
  /// Batching saves work. Otherwise the requests of a batch run one after the other anyway.
  bool joins = true;
  /// BatchSizes chooses the size of batches. For native backends.
  bool learnsSizes = false;
};

/// What a batch holds at most.
struct BatchBounds {
  size_t requests;
  size_t rows;
};

/// The result of offering a request.
struct Offer {
  Admission admission = Admission::kQueued;
  /// The expected wait for an answer, where the request was shed.
  int64_t waitNs = 0;
};

/// A queue by priority, then by deadline. Offering a request takes no lock, because a worker that
/// is preempted while it holds one must not stop the sockets: the request is pushed onto a stack,
/// and the next holder of the lock moves it into the queue.
///
/// The lock is held for a few pointer moves. Nothing that may block is called under it.
class Queue {
 public:
  Queue(const BatchLimits& limits, BatchPolicy policy);

  // Any thread, without the lock.

  /// Queues a request whose arrival and deadline are set, unless the queue is full or the request
  /// is expected to miss its deadline.
  /// @param workers workers that host the deployment
  Offer offer(Request& request, size_t workers);
  /// Waiting requests that have not ended.
  uint32_t waiting() const noexcept { return waiting_.load(); }
  /// Batches that are being run.
  uint32_t running() const noexcept { return running_.load(std::memory_order_relaxed); }
  const LoadEstimate& load() const noexcept { return load_; }
  /// The expected work of all waiting requests.
  int64_t workNs() const noexcept { return waiting() * load_.requestNs(); }

  // With the lock.

  /// When a batch may be taken: now, or when its window closes; kNever without requests.
  int64_t readyNs(int64_t now);
  /// Takes the requests of a batch, which then counts as running. Requests that are past their
  /// deadlines, or would be before they could be answered, end here.
  /// @param idleWorkers idle workers that could share the work, the caller included
  /// @param isMoreReady set to whether another batch may be taken now
  std::vector<Request*> take(int64_t now, size_t idleWorkers, BatchBounds& bounds,
                             bool& isMoreReady, Deferred& deferred);
  /// The same for a front end that runs the batch itself. Takes nothing where that is too much
  /// work, or a batch of the deployment runs already.
  std::vector<Request*> takeInline(int64_t now, int64_t mostNs, BatchBounds& bounds,
                                   Deferred& deferred);
  /// Returns requests that were taken and not run.
  void putBack(Request* const* requests, size_t count, Deferred& deferred);
  /// A batch has ended.
  /// @param requests 0 where its time should not be measured
  void ended(size_t requests, size_t rows, int64_t elapsedNs);
  /// Stops counting a request that the caller has claimed.
  void forget(Request& request);
  /// Ends requests that are past their deadlines.
  void expire(int64_t now, Deferred& deferred);
  /// Closes the queue. @returns the requests that waited
  std::vector<Request*> close();

 private:
  static constexpr size_t kLevels = protocols::kLowestPriority + 1;
  using Level = std::deque<Request*>;

  static size_t levelOf(const Request& request) noexcept {
    return request.envelope.priority == 0 ? protocols::kDefaultPriority : request.envelope.priority;
  }
  /// Requests per batch, as the last bounds allowed.
  size_t perBatch() const noexcept { return perBatch_.load(std::memory_order_relaxed); }

  // With the lock held.

  void absorb();
  void insert(Request& request, bool isFirst);
  void leave(Request& request) noexcept;
  void count(const Request& request, int32_t change) noexcept;
  bool isReady(int64_t now) const noexcept;
  void findOldest() noexcept;
  BatchBounds boundsFor(size_t idleWorkers);
  std::vector<Request*> pop(int64_t now, size_t most, Deferred& deferred);
  size_t mostWithin(int64_t leftNs, size_t most) const noexcept;
  void drop(Request& request, Deferred& deferred);

  const BatchLimits limits_;
  const BatchPolicy policy_;

  alignas(kCacheLine) RequestStack arrivals_;
  std::atomic<uint32_t> waiting_{0};
  std::atomic<uint32_t> running_{0};
  std::array<std::atomic<int32_t>, kLevels> waitingAt_{};
  LoadEstimate load_;
  std::atomic<size_t> perBatch_{1};

  alignas(kCacheLine) std::mutex mutex_;
  /// By level, each ordered by deadline. Requests that ended stay until they are at the front.
  std::array<Level, kLevels> levels_;
  /// Arrival of the oldest request, where there is a window; kNever without requests.
  int64_t oldestNs_;
  BatchSizes batchSizes_;
  bool isClosed_ = false;
};

}  // namespace cloudeasyml::serving
