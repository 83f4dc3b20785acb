// Assigns batches and streams to workers.
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

/// How often deadlines are checked while there are any.
constexpr int64_t kTickNs = 20 * kMillisecond;

/// The result of submitting a request.
struct Submission {
  Admission admission = Admission::kNoDeployment;
  /// The deployment that queued it, and its expected time per request.
  uint32_t handle = 0;
  int64_t requestNs = 0;
  /// The expected wait for an answer, where the request was shed.
  int64_t waitNs = 0;
};

/// Assigns batches and streams to workers, and watches over those that run.
///
/// Its lock guards which worker waits for what. It is held for a few pointer moves, and never while
/// a body is read, a model runs or another thread is woken. Locks are taken in the order directory,
/// dispatcher, worker, queue. Submitting a request takes only the directory's shared lock.
class Dispatcher {
 public:
  explicit Dispatcher(Directory& directory);

  // Front ends.

  /// Queues a request for an endpoint, by its id or number. The caller must call wakeWorkers()
  /// afterwards. Unless the result is kQueued, the caller keeps the request.
  Submission submit(Request* request, std::string_view endpoint, uint32_t owner);
  Submission submit(Request* request, uint32_t endpoint, uint32_t owner);
  /// Wakes a worker for a deployment that has a batch ready. Where the batch is little work and a
  /// worker already runs one of the deployment's, that worker takes it afterwards instead.
  void wakeWorkers(const std::shared_ptr<Deployment>& deployment);
  /// Opens a stream on a worker, with `opening` as its first input. Unless the result is kQueued,
  /// the caller keeps both.
  Admission openStream(const std::shared_ptr<Stream>& stream, Request* opening,
                       std::string_view endpoint, uint32_t owner);
  Admission openStream(const std::shared_ptr<Stream>& stream, Request* opening, uint32_t endpoint,
                       uint32_t owner);
  /// Cancels a request whose client has gone. @returns false where it has ended already and its
  /// completion will come
  bool cancel(Request* request);
  /// The expected work that may be run inline at once.
  int64_t inlineNs() const noexcept { return inlineNs_; }
  /// The deployment's waiting requests as a batch that the front end runs itself. Null where that
  /// is too much work, the backend is not native, or a worker runs a batch of the deployment.
  Batch* takeInline(Worker& worker, const std::shared_ptr<Deployment>& deployment);

  // Workers.

  std::shared_ptr<Worker> addWorker(std::shared_ptr<WakeHandle> wakeLoop,
                                    Worker::MakeToken makeToken,
                                    std::function<void()> interrupt = nullptr);
  void host(Worker& worker, uint32_t handle);
  void unhost(Worker& worker, uint32_t handle);
  /// The next batch for a worker. Its requests are decoded and their rows counted. Null where there
  /// is none; the worker then counts as waiting in the way of `waiting`.
  Batch* take(Worker& worker, Waiting waiting);
  /// The worker no longer waits, and was not woken.
  void stopWaiting(Worker& worker);
  /// The worker's thread has returned from its batch, whose code goes on asynchronously.
  void leave(Worker& worker);
  /// Runs a batch of a native backend on the calling thread, and finishes it in any case.
  /// @returns false where the run threw; finish() has ended its unanswered requests
  bool run(Worker& worker, Batch* batch);
  /// Ends a batch. Requests that it left unanswered fail; those of an inline one go back to the
  /// front of the queue.
  void finish(Worker& worker, Batch* batch);
  /// The worker's stream with this number; null where it has none.
  std::shared_ptr<Stream> streamOf(const Worker& worker, uint32_t number) const;
  /// The stream's code has ended.
  void closeStream(Worker& worker, uint32_t number);
  /// The token for runs of a plugin's code on behalf of a batch's request, or of all of them; they
  /// stop when it has ended. Null where the batch is over.
  std::shared_ptr<runtime::CancellationToken> tokenFor(Worker& worker, uint32_t batch,
                                                       uint32_t index);
  /// Has the worker get Notice::kRequestsEnded for a batch.
  void watchBatch(Worker& worker, uint32_t batch);
  /// Has the timer look after this moment whether a worker's section of code is over.
  void watch(int64_t dueNs) { timer_.wakeBy(dueNs); }
  /// Fails the batches and streams of a worker that is gone. Called on the worker's own thread.
  void removeWorker(Worker& worker);

  // Deployments.

  /// Removes a deployment, and fails its waiting requests and its streams.
  void remove(const std::shared_ptr<Deployment>& deployment);
  /// The ids of workers that have nothing to do which may still be within its time: all their
  /// batches, streams' steps and sections of code were due `graceNs` ago. Where such a worker does
  /// not answer, it is stuck.
  std::vector<uint32_t> overdueWorkers(int64_t graceNs) const;

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
  static void stopAbandoned(Worker& worker);

  int64_t sweep(int64_t now);
  int64_t sweepQueues(int64_t now, bool& isBusy);
  void sweepWorkers(int64_t now, bool& isBusy);
  void dropIdleContexts();

  Directory& directory_;
  const int64_t inlineNs_;
  std::atomic<uint32_t> nextBatch_{0};
  /// Worker time of the deployment served last. One that was idle starts from it.
  std::atomic<int64_t> servedNs_{0};
  std::atomic<int64_t> lastBusyNs_{0};
  /// Of the timer's thread alone.
  bool hasIdleContexts_ = false;

  alignas(kCacheLine) mutable std::mutex mutex_;
  Workers workers_;
  /// Deployments for which something may wait.
  Deployments listed_;
  uint32_t nextWorker_ = 0;

  /// Last member, so that its thread ends first.
  Timer timer_;
};

}  // namespace cloudeasyml::serving
