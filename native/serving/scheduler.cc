#include "serving/scheduler.h"

#include <algorithm>

#include "serving/time.h"

namespace cloudeasyml::serving {

Scheduler::Scheduler()
    : inlineNs_(std::thread::hardware_concurrency() <= kFewCores ? kWorthWakingNs : kInlineNs),
      timer_([this] { runTimer(); }) {}

Scheduler::~Scheduler() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  timerWake_.notify_one();
  timer_.join();
}

std::shared_ptr<Deployment> Scheduler::find(uint32_t handle) const {
  std::lock_guard lock(mutex_);
  const auto entry = deployments_.find(handle);
  return entry == deployments_.end() ? nullptr : entry->second;
}

std::shared_ptr<Deployment> Scheduler::add(std::string id, uint32_t owner, BatchLimits limits,
                                           std::shared_ptr<const OnnxModel> model) {
  std::lock_guard lock(mutex_);
  std::lock_guard directory(directory_);
  auto deployment =
      std::make_shared<Deployment>(std::move(id), nextHandle_++, owner, limits, std::move(model));
  deployments_.emplace(deployment->handle, deployment);
  byId_.emplace(deployment->id, deployment.get());
  return deployment;
}

void Scheduler::setAccepting(Deployment& deployment, bool accepting) {
  std::lock_guard directory(directory_);
  deployment.accepting = accepting;
}

bool Scheduler::idle(const Deployment& deployment) const {
  std::lock_guard lock(mutex_);
  return deployment.waiting == 0 && deployment.running == 0 && deployment.streams == 0;
}

void Scheduler::remove(Deployment& deployment) {
  std::vector<Request*> left;
  std::vector<std::shared_ptr<Stream>> open;
  std::shared_ptr<Deployment> held;
  {
    std::lock_guard lock(mutex_);
    {
      // Once this is held nobody hands in any more.
      std::lock_guard directory(directory_);
      deployment.accepting = false;
      byId_.erase(deployment.id);
      const auto entry = deployments_.find(deployment.handle);
      if (entry != deployments_.end()) {
        held = std::move(entry->second);
        deployments_.erase(entry);
      }
    }
    absorb(deployment);
    left.assign(deployment.queue.begin(), deployment.queue.end());
    for (auto* request : left) request->queued = false;
    deployment.queue.clear();
    deployment.waiting = 0;
    open = streamsOf(deployment);
    for (auto& worker : workers_) worker->hosted.erase(deployment.handle);
  }
  for (auto* request : left)
    request->channel->fail(request, ErrorCode::kDeploymentUnavailable, kRemoved);
  Channel::releaseAll(left);
  for (const auto& stream : open) {
    stream->fail(ErrorCode::kDeploymentUnavailable,
                 "The deployment was removed while the stream went on.");
  }
}

Submission Scheduler::submit(Request* request, std::string_view id, uint32_t owner) {
  return submitTo(request, owner, [&]() -> Deployment* {
    const auto entry = byId_.find(id);
    return entry == byId_.end() ? nullptr : entry->second;
  });
}

Submission Scheduler::submit(Request* request, uint32_t handle, uint32_t owner) {
  return submitTo(request, owner, [&]() -> Deployment* {
    const auto entry = deployments_.find(handle);
    return entry == deployments_.end() ? nullptr : entry->second.get();
  });
}

template <typename Find>
Submission Scheduler::submitTo(Request* request, uint32_t owner, Find find) {
  Submission submission;
  int64_t lookNs = kNever - 1;
  {
    std::shared_lock directory(directory_);
    Deployment* deployment = find();
    if (!deployment) return {Admission::kNoDeployment};
    submission = {enqueue(request, *deployment, owner), deployment->handle,
                  deployment->requestNs.load(std::memory_order_relaxed)};
    const int64_t windowNs = deployment->limits.maxQueueDelayNs;
    if (windowNs > 0) lookNs = request->arrivalNs + windowNs;
  }
  // The timer says when it looks next and then looks for arrivals: it sees this one, or this
  // thread sees when it looks.
  if (submission.admission == Admission::kQueued && timerNextNs_ > lookNs) notifyTimer();
  return submission;
}

Admission Scheduler::enqueue(Request* request, Deployment& deployment, uint32_t owner) {
  if (owner != Owner::kAny && owner != deployment.owner) return Admission::kNoDeployment;
  if (!deployment.accepting) return Admission::kNotAccepting;
  if (deployment.waiting.fetch_add(1) >= deployment.limits.maxQueueSize) {
    --deployment.waiting;
    return Admission::kQueueFull;
  }
  request->deployment = &deployment;
  request->arrivalNs = nowNs();
  request->deadlineNs = request->arrivalNs + deployment.limits.timeoutNs;
  request->holders.fetch_add(1, std::memory_order_relaxed);
  request->queued = true;
  deployment.arrivals.push(request);
  return Admission::kQueued;
}

// Moves what was handed in into the queue.
void Scheduler::absorb(Deployment& deployment) {
  if (deployment.arrivals.empty()) return;
  if (deployment.queue.empty() && deployment.running == 0) {
    // Idle time earns no credit against the others.
    deployment.servedNs = std::max(deployment.servedNs, servedNs_);
  }
  deployment.arrivals.takeAll([&](Request* request) { deployment.queue.push_back(request); });
  lastBusyNs_ = std::max(lastBusyNs_, deployment.queue.back()->arrivalNs);
}

void Scheduler::wakeWorkers(const std::vector<uint32_t>& handles) {
  std::lock_guard lock(mutex_);
  const int64_t now = nowNs();
  for (const uint32_t handle : handles) {
    const auto entry = deployments_.find(handle);
    if (entry == deployments_.end()) continue;
    auto& deployment = *entry->second;
    absorb(deployment);
    if (!ready(deployment, now)) continue;
    const int64_t workNs =
        deployment.waiting * deployment.requestNs.load(std::memory_order_relaxed);
    if (deployment.running == 0 || workNs >= kWorthWakingNs) wakeFor(handle);
  }
}

bool Scheduler::cancel(Request* request) {
  std::lock_guard lock(mutex_);
  if (!request->claim()) return false;
  if (request->queued) --request->deployment->waiting;
  for (auto& worker : workers_) terminateIfAbandoned(*worker);
  return true;
}

std::shared_ptr<Worker> Scheduler::addWorker(std::function<void()> wakeLoop,
                                             Worker::MakeToken makeToken) {
  std::lock_guard lock(mutex_);
  const uint32_t id = nextWorker_++;
  workers_.push_back(std::make_shared<Worker>(id, std::move(wakeLoop), std::move(makeToken),
                                              [this, id] { wakeById(id); }));
  return workers_.back();
}

void Scheduler::host(Worker& worker, uint32_t handle) {
  std::lock_guard lock(mutex_);
  worker.hosted.insert(handle);
  wake(worker);
}

void Scheduler::unhost(Worker& worker, uint32_t handle) {
  std::lock_guard lock(mutex_);
  worker.hosted.erase(handle);
}

bool Scheduler::ready(const Deployment& deployment, int64_t now) const noexcept {
  // What waits may still be on its way into the queue.
  if (deployment.waiting == 0 || deployment.queue.empty()) return false;
  if (deployment.limits.maxQueueDelayNs == 0) return true;
  if (deployment.waiting >= deployment.limits.maxBatchSize) return true;
  const Request* oldest = deployment.queue.front();
  return now >= oldest->arrivalNs + deployment.limits.maxQueueDelayNs;
}

void Scheduler::stopWaiting(Worker& worker) {
  std::lock_guard lock(mutex_);
  worker.waiting = Waiting::kNot;
}

void Scheduler::removeWorker(Worker& worker) {
  std::vector<std::unique_ptr<Batch>> lost;
  std::unordered_map<uint32_t, std::shared_ptr<Stream>> streams;
  {
    std::lock_guard lock(mutex_);
    if (worker.closed) return;
    worker.closed = true;
    worker.wakeLoop = nullptr;
    worker.hosted.clear();
    worker.waiting = Waiting::kNot;
    for (auto& batch : worker.active) --batch->deployment->running;
    lost.swap(worker.active);
    worker.current = nullptr;
    for (auto& [number, stream] : worker.streams) --stream->deployment->streams;
    streams.swap(worker.streams);
    const auto entry = std::find_if(workers_.begin(), workers_.end(),
                                    [&](const auto& each) { return each.get() == &worker; });
    if (entry != workers_.end()) workers_.erase(entry);
  }
  for (auto& batch : lost) {
    for (auto* request : batch->requests) {
      request->channel->fail(request, ErrorCode::kWorkerLost,
                             "The worker that ran the request stopped; the request can be sent "
                             "again.");
      request->channel->release(request);
    }
  }
  worker.inbox->close();
  for (auto& [number, stream] : streams) {
    stream->fail(ErrorCode::kWorkerLost,
                 "The worker that ran the stream stopped, and its state is gone.");
  }
}

void Scheduler::wakeFor(uint32_t handle) {
  for (auto& worker : workers_) {
    if (!worker->idleFor(handle)) continue;
    wake(*worker);
    return;
  }
}

void Scheduler::wakeById(uint32_t id) {
  std::lock_guard lock(mutex_);
  busyNow(nowNs());
  for (auto& worker : workers_) {
    if (worker->id == id) wake(*worker);
  }
}

void Scheduler::wake(Worker& worker) {
  const auto waiting = worker.waiting;
  worker.waiting = Waiting::kNot;
  if (waiting == Waiting::kNatively) worker.waker.wake();
  if (waiting == Waiting::kInEventLoop && worker.wakeLoop) worker.wakeLoop();
}

}  // namespace cloudeasyml::serving
