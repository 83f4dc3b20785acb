#include "serving/dispatcher.h"

#include <algorithm>
#include <thread>

#include "serving/channel.h"
#include "serving/requestPool.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

Dispatcher::Dispatcher(Directory& directory)
    : directory_(directory),
      inlineNs_(std::thread::hardware_concurrency() <= kFewCores ? kWorthWakingNs : kInlineNs),
      timer_([this](int64_t now) { return sweep(now); }) {}

template <typename Endpoint>
Submission Dispatcher::submitTo(Request* request, const Endpoint& endpoint, uint32_t owner) {
  Submission submission;
  directory_.visit(endpoint, [&](const std::shared_ptr<Deployment>& found) {
    Deployment& deployment = *found;
    if (!mayUse(owner, deployment.owner)) return;
    submission.handle = deployment.handle;
    if (!deployment.accepting.load(std::memory_order_relaxed)) {
      submission.admission = Admission::kNotAccepting;
      return;
    }
    request->deployment = &deployment;
    request->arrivalNs = nowNs();
    const int64_t askedNs = int64_t{request->envelope.timeoutMs} * kMillisecond;
    const int64_t timeNs =
        askedNs > 0 ? std::min(askedNs, deployment.limits.timeoutNs) : deployment.limits.timeoutNs;
    request->deadlineNs = request->arrivalNs + timeNs;
    request->holders.fetch_add(1, std::memory_order_relaxed);
    submission.requestNs = deployment.queue.load().requestNs();
    const Offer offer =
        deployment.queue.offer(*request, deployment.hosts.load(std::memory_order_relaxed));
    submission.admission = offer.admission;
    submission.waitNs = offer.waitNs;
    if (offer.admission != Admission::kQueued) {
      request->holders.fetch_sub(1, std::memory_order_relaxed);
    }
  });
  return submission;
}

Submission Dispatcher::submit(Request* request, std::string_view endpoint, uint32_t owner) {
  return submitTo(request, endpoint, owner);
}

Submission Dispatcher::submit(Request* request, uint32_t endpoint, uint32_t owner) {
  return submitTo(request, endpoint, owner);
}

void Dispatcher::wakeWorkers(const std::shared_ptr<Deployment>& deployment) {
  auto& queue = deployment->queue;
  if (queue.waiting() == 0) return;
  const int64_t now = nowNs();
  lastBusyNs_.store(now, std::memory_order_relaxed);
  {
    std::lock_guard lock(mutex_);
    list(deployment);
  }
  const int64_t readyNs = queue.readyNs(now);
  timer_.wakeBy(readyNs > now ? std::min(now + kTickNs, readyNs) : now + kTickNs);
  if (readyNs > now) return;
  if (queue.running() == 0 || queue.workNs() >= kWorthWakingNs) wakeFor(deployment->handle);
}

bool Dispatcher::cancel(Request* request) {
  if (!request->claim()) return false;
  directory_.forget(*request);
  for (const auto& worker : workers()) stopAbandoned(*worker);
  return true;
}

void Dispatcher::remove(const std::shared_ptr<Deployment>& deployment) {
  std::vector<Request*> left = directory_.remove(*deployment);
  std::vector<std::shared_ptr<Stream>> open;
  {
    std::lock_guard lock(mutex_);
    for (auto& worker : workers_) {
      worker->hosted.erase(deployment->handle);
      std::lock_guard workerLock(worker->mutex);
      for (const auto& [number, stream] : worker->streams) {
        if (stream->deployment == deployment) open.push_back(stream);
      }
    }
    listed_.erase(std::remove(listed_.begin(), listed_.end(), deployment), listed_.end());
  }
  for (auto* request : left) {
    fail(*request, {ErrorCode::kDeploymentUnavailable,
                    "The deployment was removed before the request could run.",
                    {}});
  }
  RequestPool::releaseAll(left);
  for (const auto& stream : open) {
    stream->fail({ErrorCode::kDeploymentUnavailable,
                  "The deployment was removed while the stream went on.",
                  {}});
  }
}

std::shared_ptr<Worker> Dispatcher::addWorker(std::shared_ptr<WakeHandle> wakeLoop,
                                              Worker::MakeToken makeToken,
                                              std::function<void()> interrupt) {
  std::lock_guard lock(mutex_);
  const uint32_t id = nextWorker_++;
  workers_.push_back(std::make_shared<Worker>(id, std::move(wakeLoop), std::move(makeToken),
                                              std::move(interrupt), [this, id] { wakeById(id); }));
  return workers_.back();
}

void Dispatcher::host(Worker& worker, uint32_t handle) {
  const auto deployment = directory_.find(handle);
  Waiting waiting = Waiting::kNot;
  {
    std::lock_guard lock(mutex_);
    if (worker.hosted.insert(handle).second && deployment) ++deployment->hosts;
    std::swap(waiting, worker.waiting);
    if (deployment) list(deployment);
  }
  worker.wake(waiting);
}

void Dispatcher::unhost(Worker& worker, uint32_t handle) {
  const auto deployment = directory_.find(handle);
  std::lock_guard lock(mutex_);
  if (worker.hosted.erase(handle) > 0 && deployment) --deployment->hosts;
}

void Dispatcher::stopWaiting(Worker& worker) {
  std::lock_guard lock(mutex_);
  worker.waiting = Waiting::kNot;
}

void Dispatcher::removeWorker(Worker& worker) {
  std::vector<std::unique_ptr<Batch>> lost;
  std::unordered_map<uint32_t, std::shared_ptr<Stream>> streams;
  std::unordered_set<uint32_t> hosted;
  {
    std::lock_guard lock(mutex_);
    if (worker.isClosed) return;
    worker.isClosed = true;
    hosted.swap(worker.hosted);
    worker.entered.clear();
    worker.waiting = Waiting::kNot;
    const auto entry = std::find_if(workers_.begin(), workers_.end(),
                                    [&](const auto& each) { return each.get() == &worker; });
    if (entry != workers_.end()) workers_.erase(entry);
    std::lock_guard workerLock(worker.mutex);
    lost.swap(worker.active);
    worker.current = nullptr;
    streams.swap(worker.streams);
    worker.streamCount = 0;
  }
  if (worker.wakeLoop) worker.wakeLoop->close();
  for (const uint32_t handle : hosted) {
    if (const auto deployment = directory_.find(handle)) --deployment->hosts;
  }
  for (auto& batch : lost) {
    batch->deployment->queue.ended(0, 0, 0);
    for (auto* request : batch->requests) {
      fail(*request, {ErrorCode::kWorkerLost,
                      "The worker that ran the request stopped; the request can be sent again.",
                      {}});
    }
    RequestPool::releaseAll(batch->requests);
  }
  worker.inbox->close();
  for (auto& [number, stream] : streams) {
    --stream->deployment->streams;
    stream->fail({ErrorCode::kWorkerLost,
                  "The worker that ran the stream stopped, and its state is gone.",
                  {}});
  }
}

void Dispatcher::list(const std::shared_ptr<Deployment>& deployment) {
  if (deployment->isListed) return;
  deployment->isListed = true;
  // Idle time earns no credit against the others.
  const int64_t servedNs = servedNs_.load(std::memory_order_relaxed);
  if (deployment->servedNs < servedNs) deployment->servedNs = servedNs;
  listed_.push_back(deployment);
}

void Dispatcher::wakeFor(uint32_t handle) {
  std::shared_ptr<Worker> idle;
  Waiting waiting = Waiting::kNot;
  {
    std::lock_guard lock(mutex_);
    for (const auto& worker : workers_) {
      if (!worker->isIdleFor(handle)) continue;
      idle = worker;
      std::swap(waiting, worker->waiting);
      break;
    }
  }
  if (idle) idle->wake(waiting);
}

void Dispatcher::wakeById(uint32_t id) {
  std::shared_ptr<Worker> found;
  Waiting waiting = Waiting::kNot;
  const int64_t now = nowNs();
  lastBusyNs_.store(now, std::memory_order_relaxed);
  timer_.wakeBy(now + kTickNs);
  {
    std::lock_guard lock(mutex_);
    for (const auto& worker : workers_) {
      if (worker->id != id) continue;
      found = worker;
      std::swap(waiting, worker->waiting);
    }
  }
  if (found) found->wake(waiting);
}

Dispatcher::Workers Dispatcher::workers() const {
  std::lock_guard lock(mutex_);
  return workers_;
}

}  // namespace cloudeasyml::serving
