// Who runs what next.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "serving/batch.h"
#include "serving/cacheLine.h"
#include "serving/directory.h"
#include "serving/stream.h"
#include "serving/timer.h"
#include "serving/worker.h"

namespace cloudeasyml::serving {

/// How often deadlines are looked at while there are any.
constexpr int64_t kTickNs = 20 * kMillisecond;

/// What came of handing a request in.
struct Submission {
  Admission admission = Admission::kNoDeployment;
  /// Where it was queued, and what one of its requests takes.
  uint32_t handle = 0;
  int64_t requestNs = 0;
  /// Until it would have had its answer, where it was shed.
  int64_t waitNs = 0;
};

/// Deals batches and streams out to workers, and looks after what runs.
///
/// Its lock guards which worker waits for what. It is held for a few pointer moves at a time, and
/// never while a body is read, a model runs or another thread is woken. Locks are taken in the
/// order directory, dispatcher, worker, queue; handing a request in takes the directory's shared
/// one only.
class Dispatcher {
 public:
  explicit Dispatcher(Directory& directory);

  // Front ends.

  /// Queues a request for an endpoint, by its id or number; wakeWorkers() is owed then. On any
  /// other answer than kQueued the request stays with the caller.
  Submission submit(Request* request, std::string_view endpoint, uint32_t owner);
  Submission submit(Request* request, uint32_t endpoint, uint32_t owner);
  /// Wakes a worker for a deployment that has a batch ready, unless it is so little work that the
  /// worker which runs the deployment's last batch had better take it too.
  void wakeWorkers(const std::shared_ptr<Deployment>& deployment);
  /// Finds a worker for a stream and opens it there, with `opening` as its first input. On any
  /// other answer than kQueued both stay with the caller.
  Admission openStream(const std::shared_ptr<Stream>& stream, Request* opening,
                       std::string_view endpoint, uint32_t owner);
  Admission openStream(const std::shared_ptr<Stream>& stream, Request* opening, uint32_t endpoint,
                       uint32_t owner);
  /// The client has gone. @returns false where the request has ended already: its completion is on
  /// its way
  bool cancel(Request* request);
  /// What may be run inline at once.
  int64_t inlineNs() const noexcept { return inlineNs_; }
  /// What waits for one deployment, for a front end to run itself in the manner of a worker; null
  /// where that is more work than handing it over, needs a plugin's code, or a worker is at it.
  Batch* takeInline(Worker& worker, const std::shared_ptr<Deployment>& deployment);

  // Workers.

  std::shared_ptr<Worker> addWorker(std::shared_ptr<WakeHandle> wakeLoop,
                                    Worker::MakeToken makeToken);
  void host(Worker& worker, uint32_t handle);
  void unhost(Worker& worker, uint32_t handle);
  /// The next batch for a worker, or null; then the worker counts as waiting in the manner of
  /// `waiting`. Every request of the batch has been read, and its rows counted.
  Batch* take(Worker& worker, Waiting waiting);
  /// The worker has stopped waiting by itself.
  void stopWaiting(Worker& worker);
  /// The worker's thread has left the batch that it was inside of, whose code goes on later.
  void leave(Worker& worker);
  /// Runs a batch of a native backend on the calling thread and ends it, however that goes.
  /// @returns false where it could not be run: then finish() saw to what it left unanswered
  bool run(Worker& worker, Batch* batch);
  /// Ends a batch. Requests that it left unanswered fail; those of an inline one go back to the
  /// front of the queue.
  void finish(Worker& worker, Batch* batch);
  /// The worker holds a stream with this number; null where not.
  std::shared_ptr<Stream> streamOf(const Worker& worker, uint32_t number) const;
  /// The stream's code has ended.
  void closeStream(Worker& worker, uint32_t number);
  /// The worker is gone: its batches fail, and others take its work. Called on the worker's own
  /// thread.
  void removeWorker(Worker& worker);

  // Deployments.

  /// Forgets a deployment and fails what still waits for it.
  void remove(const std::shared_ptr<Deployment>& deployment);
  /// Deals no more batches to workers that hold one whose requests all ran out of time `graceNs`
  /// ago, or that have not taken for as long the notice that a stream should stop.
  /// @returns the ids of those that do nothing else in time: ending them loses nobody else's
  /// requests
  std::vector<uint32_t> retireStalled(int64_t graceNs);

 private:
  using Workers = std::vector<std::shared_ptr<Worker>>;
  using Deployments = std::vector<std::shared_ptr<Deployment>>;

  /// Requests that left a queue to become a batch.
  struct Taken {
    Taken() = default;
    Taken(Taken&&) = default;
    ~Taken();

    std::shared_ptr<Deployment> deployment;
    std::vector<Request*> requests;
    BatchBounds bounds{};
  };

  template <typename Endpoint>
  Submission submitTo(Request* request, const Endpoint& endpoint, uint32_t owner);
  template <typename Endpoint>
  Admission openStreamAt(const std::shared_ptr<Stream>& stream, Request* opening,
                         const Endpoint& endpoint, uint32_t owner);
  Admission place(const std::shared_ptr<Stream>& stream,
                  const std::shared_ptr<Deployment>& deployment);

  void wakeFor(uint32_t handle);
  void wakeById(uint32_t id);
  Workers workers() const;

  // With the dispatcher's lock held.

  void list(const std::shared_ptr<Deployment>& deployment);
  std::shared_ptr<Deployment> pick(const Worker& worker, int64_t now,
                                   std::shared_ptr<Deployment>& other);
  size_t idleWorkers(const Worker& taker, uint32_t handle) const;

  Batch* form(Worker& worker, Taken taken, int64_t now, bool isInline);
  static void putBackUnanswered(Batch& batch, Deferred& deferred);
  static void cancelIfAbandoned(Worker& worker);

  int64_t sweep(int64_t now);
  int64_t sweepQueues(int64_t now, bool& isBusy);
  void sweepWorkers(int64_t now, bool& isBusy);
  void dropIdleContexts();

  Directory& directory_;
  const int64_t inlineNs_;
  std::atomic<uint32_t> nextBatch_{0};
  /// Service time of the deployment served last: one that wakes from idleness starts there.
  std::atomic<int64_t> servedNs_{0};
  std::atomic<int64_t> lastBusyNs_{0};
  /// Of the timer's thread alone.
  bool hasIdleContexts_ = false;

  alignas(kCacheLine) mutable std::mutex mutex_;
  Workers workers_;
  /// Deployments for which something may wait.
  Deployments listed_;
  uint32_t nextWorker_ = 0;

  /// Last, so that its thread ends first.
  Timer timer_;
};

}  // namespace cloudeasyml::serving
