// Who runs what next: queues, batches, deadlines.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "serving/batch.h"
#include "serving/cacheLine.h"
#include "serving/channel.h"
#include "serving/deployment.h"
#include "serving/worker.h"

namespace cloudeasyml::serving {

/// What came of handing a request in.
struct Submission {
  Admission admission = Admission::kNoDeployment;
  /// Where it was queued: the deployment's handle, and what one of its requests takes.
  uint32_t handle = 0;
  int64_t requestNs = 0;
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

/// Owns the deployments' queues and deals batches out to workers.
///
/// One mutex guards it all; it is held for a few pointer moves at a time and never while a body is
/// read, a model runs or JavaScript is called. Handing a request in does without it, since a worker
/// that loses its core while it holds the mutex would stop all sockets: it finds the deployment
/// under the directory's lock, which only adding and removing deployments hold against it, and
/// leaves the request on the deployment's `arrivals`, from where whoever next holds the mutex takes
/// it. A thread of its own closes batch windows and ends requests whose time is up, so neither
/// depends on any event loop.
class Scheduler {
 public:
  Scheduler();
  ~Scheduler();

  // Deployments.

  /// Makes a deployment that accepts nothing yet.
  std::shared_ptr<Deployment> add(std::string id, uint32_t owner, BatchLimits limits,
                                  std::shared_ptr<const OnnxModel> model);
  /// Null where there is none, or no longer one.
  std::shared_ptr<Deployment> find(uint32_t handle) const;
  /// Whether it takes requests; those that wait are served either way.
  void setAccepting(Deployment& deployment, bool accepting);
  /// True when nothing waits, nothing runs and no stream is open.
  bool idle(const Deployment& deployment) const;
  /// Forgets it and fails what still waits.
  void remove(Deployment& deployment);

  // Front ends.

  /// Queues a request for the deployment called `id`; wakeWorkers() is owed then. On any other
  /// answer than kQueued the request stays with the caller.
  Submission submit(Request* request, std::string_view id, uint32_t owner);
  Submission submit(Request* request, uint32_t handle, uint32_t owner);
  /// Wakes a worker for each deployment out of `handles` that has a batch ready, unless it is so
  /// little work that the worker which runs the deployment's last batch had better take it too.
  void wakeWorkers(const std::vector<uint32_t>& handles);
  /// Finds a worker for a stream and opens it there, with `opening` as its first input. On any
  /// other answer than kQueued both stay with the caller.
  Admission openStream(const std::shared_ptr<Stream>& stream, Request* opening, std::string_view id,
                       uint32_t owner);
  Admission openStream(const std::shared_ptr<Stream>& stream, Request* opening, uint32_t handle,
                       uint32_t owner);
  /// The client has gone. @returns false where the request has ended already: its completion is on
  /// its way.
  bool cancel(Request* request);

  // Workers.

  std::shared_ptr<Worker> addWorker(std::function<void()> wakeLoop, Worker::MakeToken makeToken);
  void host(Worker& worker, uint32_t handle);
  void unhost(Worker& worker, uint32_t handle);
  /// The next batch for a worker, or null; then the worker counts as waiting in the manner of
  /// `waiting`. Every request of the batch has been read, and its rows counted.
  Batch* take(Worker& worker, Waiting waiting);
  /// What may be run inline at once.
  int64_t inlineNs() const noexcept { return inlineNs_; }
  /// What waits for one deployment, for a front end to run itself in the manner of a worker; null
  /// where that is more work than handing it over, needs a plugin's code, or a worker is at it.
  Batch* takeInline(Worker& worker, uint32_t handle);
  /// The worker has stopped waiting by itself.
  void stopWaiting(Worker& worker);
  /// The worker's thread has left the batch that it was inside of, whose code goes on later.
  void leave(Worker& worker);
  /// The worker holds a stream with this number; null where not.
  std::shared_ptr<Stream> streamOf(Worker& worker, uint32_t number) const;
  /// The stream's code has ended.
  void closeStream(Worker& worker, uint32_t number);
  /// Ends a batch. Requests that it left unanswered fail; those of an inline one go back to the
  /// front of the queue.
  void finish(Worker& worker, Batch* batch);
  /// The worker is gone: its batches fail, and others take its work. Called on the worker's own
  /// thread.
  void removeWorker(Worker& worker);

  /// Deals no more batches to workers that hold one whose requests all ran out of time `graceNs`
  /// ago, or that have not heard for as long that a stream should stop.
  /// @returns the ids of those that do nothing else in time: ending them loses nobody else's
  /// requests
  std::vector<uint32_t> retireStalled(int64_t graceNs);

 private:
  static constexpr char kRemoved[] = "The deployment was removed before the request could run.";

  /// What a batch holds at most.
  struct BatchBounds {
    size_t requests;
    size_t rows;
  };

  using Deployments = std::unordered_map<uint32_t, std::shared_ptr<Deployment>>;

  template <typename Find>
  Submission submitTo(Request* request, uint32_t owner, Find find);
  static Admission enqueue(Request* request, Deployment& deployment, uint32_t owner);
  void absorb(Deployment& deployment);
  Admission place(const std::shared_ptr<Stream>& stream,
                  const std::shared_ptr<Deployment>& deployment, uint32_t owner);
  static Admission begin(const std::shared_ptr<Stream>& stream, Request* opening,
                         Admission admission);
  std::vector<std::shared_ptr<Stream>> streamsOf(const Deployment& deployment) const;
  void busyNow(int64_t now);
  bool ready(const Deployment& deployment, int64_t now) const noexcept;
  std::shared_ptr<Deployment> pick(const Worker& worker, int64_t now);
  Batch* form(Worker& worker, const std::shared_ptr<Deployment>& deployment, BatchBounds most,
              int64_t now, std::unique_lock<std::mutex>& lock);
  void putBackUnanswered(Batch& batch);
  BatchBounds boundsFor(Deployment& deployment, const Worker& taker) const;
  size_t share(const Deployment& deployment, const Worker& taker) const;
  static std::vector<Request*> pop(Deployment& deployment, size_t count, int64_t now);
  void putBack(Deployment& deployment, std::vector<Request*>::const_iterator first,
               std::vector<Request*>::const_iterator last);
  static void dropEnded(Deployment& deployment, int64_t now);
  static void forget(Deployment& deployment, Request* request);
  void wakeFor(uint32_t handle);
  void wakeById(uint32_t id);
  void wake(Worker& worker);
  void terminateIfAbandoned(Worker& worker);

  void runTimer();
  bool arrived() const;
  void notifyTimer();
  int64_t sweep(int64_t now, std::vector<std::shared_ptr<Stream>>& overdue);

  const int64_t inlineNs_;
  mutable std::mutex mutex_;
  /// Where both are needed, the mutex is taken first.
  alignas(kCacheLine) mutable std::shared_mutex directory_;
  // These change only while both are held.
  alignas(kCacheLine) Deployments deployments_;
  /// Views into the deployments' own ids.
  std::unordered_map<std::string_view, Deployment*> byId_;

  /// When the timer looks next by itself.
  std::atomic<int64_t> timerNextNs_{0};

  alignas(kCacheLine) std::vector<std::shared_ptr<Worker>> workers_;
  uint32_t nextHandle_ = 0;
  uint32_t nextWorker_ = 0;
  uint32_t nextBatch_ = 0;
  /// Service time of the deployment served last: one that wakes from idleness starts there.
  int64_t servedNs_ = 0;

  std::condition_variable timerWake_;
  int64_t lastBusyNs_ = 0;
  /// Whether a plugin owed a stream's step at the last sweep.
  bool streamsBusy_ = false;
  bool stopping_ = false;
  std::thread timer_;
};

}  // namespace cloudeasyml::serving
