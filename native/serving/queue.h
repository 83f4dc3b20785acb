// Where one deployment's requests wait, and in which order they leave.
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
  /// A batch spares work. Else requests run one after the other all the same.
  bool joins = true;
  /// Batches are no larger than pays, as BatchSizes finds out. For models that nothing else goes on
  /// beside.
  bool learnsSizes = false;
};

/// What a batch holds at most.
struct BatchBounds {
  size_t requests;
  size_t rows;
};

/// What became of a request that was handed in.
struct Offer {
  Admission admission = Admission::kQueued;
  /// Until it would have had its answer, where it was shed.
  int64_t waitNs = 0;
};

/// A queue by priority, then by deadline. Handing a request in takes no lock, since a worker that
/// loses its core while it holds one must not stop the sockets: the request is left on a stack,
/// from where whoever next holds the lock takes it.
///
/// The lock is held for a few pointer moves at a time. Nothing is called under it that may block or
/// that another thread may wait for.
class Queue {
 public:
  Queue(const BatchLimits& limits, BatchPolicy policy);

  // Any thread, without the lock.

  /// Queues a request whose times are set, unless the queue is full, or by what requests took it
  /// could not be answered in time.
  /// @param workers how many take its batches
  Offer offer(Request& request, size_t workers);
  /// Requests that wait and have not ended.
  uint32_t waiting() const noexcept { return waiting_.load(); }
  /// Batches that are being run.
  uint32_t running() const noexcept { return running_.load(std::memory_order_relaxed); }
  const LoadEstimate& load() const noexcept { return load_; }
  /// The work that waits.
  int64_t workNs() const noexcept { return waiting() * load_.requestNs(); }

  // With the lock.

  /// When a batch may be taken: at once, or when its window closes; kNever where nothing waits.
  int64_t readyNs(int64_t now);
  /// Takes the requests for a batch out, and counts it as running where there are any. Those that
  /// have no time left end here.
  /// @param idleWorkers how many could share the work, the caller included
  /// @param isMoreReady set where another batch may be taken at once
  std::vector<Request*> take(int64_t now, size_t idleWorkers, BatchBounds& bounds,
                             bool& isMoreReady, Deferred& deferred);
  /// The same for a front end that would run the batch itself; nothing where that is too much work
  /// or somebody else is at it.
  std::vector<Request*> takeInline(int64_t now, int64_t mostNs, BatchBounds& bounds,
                                   Deferred& deferred);
  /// Puts requests back that were taken and not run.
  void putBack(Request* const* requests, size_t count, Deferred& deferred);
  /// A batch has ended.
  /// @param requests 0 where its time tells nothing
  void ended(size_t requests, size_t rows, int64_t elapsedNs);
  /// A request that its caller has claimed is not waited for any more.
  void forget(Request& request);
  /// Ends what has no time left.
  void expire(int64_t now, Deferred& deferred);
  /// Takes nothing more, and gives out what waits.
  std::vector<Request*> close();

 private:
  static constexpr size_t kLevels = protocols::kLowestPriority + 1;
  using Level = std::deque<Request*>;

  static size_t levelOf(const Request& request) noexcept {
    return request.envelope.priority == 0 ? protocols::kDefaultPriority : request.envelope.priority;
  }
  /// Requests that a batch holds, as a rule.
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
  /// By level, each by deadline. Requests that ended while they waited stay until they come up.
  std::array<Level, kLevels> levels_;
  /// When the oldest request in the levels arrived, where there is a window; kNever for none.
  int64_t oldestNs_;
  BatchSizes batchSizes_;
  bool isClosed_ = false;
};

}  // namespace cloudeasyml::serving
