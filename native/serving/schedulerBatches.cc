// What workers, and front ends in their place, take and give back.
#include <algorithm>

#include "serving/formBatch.h"
#include "serving/scheduler.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

Batch* Scheduler::take(Worker& worker, Waiting waiting) {
  for (;;) {
    std::unique_lock lock(mutex_);
    worker.waiting = Waiting::kNot;
    if (worker.closed || worker.retired) return nullptr;
    const int64_t now = nowNs();
    const auto deployment = pick(worker, now);
    if (!deployment) {
      worker.waiting = waiting;
      return nullptr;
    }
    if (Batch* batch = form(worker, deployment, boundsFor(*deployment, worker), now, lock)) {
      return batch;
    }
  }
}

Batch* Scheduler::takeInline(Worker& worker, uint32_t handle) {
  std::unique_lock lock(mutex_);
  const auto entry = deployments_.find(handle);
  if (entry == deployments_.end() || !entry->second->model) return nullptr;
  const auto deployment = entry->second;
  absorb(*deployment);
  const int64_t now = nowNs();
  if (deployment->running > 0 || !ready(*deployment, now)) return nullptr;
  if (deployment->waiting * deployment->requestNs.load(std::memory_order_relaxed) > inlineNs_ ||
      deployment->slowestNs > kInlineSlowestNs) {
    return nullptr;
  }
  const size_t most = deployment->limits.maxBatchSize;
  Batch* batch = form(worker, deployment, {most, most}, now, lock);
  if (batch) batch->isInline = true;
  return batch;
}

// Takes a batch of a deployment out of its queue, and reads its requests without the lock.
// @returns null where none of them is left to run
Batch* Scheduler::form(Worker& worker, const std::shared_ptr<Deployment>& deployment,
                       BatchBounds most, int64_t now, std::unique_lock<std::mutex>& lock) {
  auto requests = pop(*deployment, most.requests, now);
  if (requests.empty()) return nullptr;

  auto owned = std::make_unique<Batch>();
  Batch* batch = owned.get();
  batch->id = nextBatch_++;
  batch->deployment = deployment;
  batch->startNs = now;
  worker.active.push_back(std::move(owned));
  ++deployment->running;
  // What is left over is for another worker.
  if (ready(*deployment, now)) wakeFor(deployment->handle);
  servedNs_ = std::max(servedNs_, deployment->servedNs);
  if (!worker.token || worker.token->cancelled()) worker.token = worker.makeToken();
  // Reading takes time: others go on meanwhile. Until they are in batch->requests the sweep does
  // not see these requests; they can't run out of time unseen, since pop() and the runner look
  // again.
  lock.unlock();

  const Formed formed = formBatch(worker, *deployment, requests, most.rows);
  lock.lock();
  if (formed.rest < requests.size()) {
    putBack(*deployment, requests.begin() + static_cast<std::ptrdiff_t>(formed.rest),
            requests.end());
  }
  requests.resize(formed.taken);
  batch->requests = std::move(requests);
  batch->rows = formed.rows;
  batch->deadlineNs = formed.deadlineNs;
  if (!batch->requests.empty()) {
    worker.current = batch;
    return batch;
  }
  lock.unlock();
  finish(worker, batch);
  return nullptr;
}

void Scheduler::leave(Worker& worker) {
  std::lock_guard lock(mutex_);
  worker.current = nullptr;
}

void Scheduler::finish(Worker& worker, Batch* batch) {
  std::unique_ptr<Batch> owned;
  {
    std::lock_guard lock(mutex_);
    const auto entry = std::find_if(worker.active.begin(), worker.active.end(),
                                    [&](const auto& each) { return each.get() == batch; });
    if (entry == worker.active.end()) return;
    owned = std::move(*entry);
    worker.active.erase(entry);
    if (worker.current == batch) worker.current = nullptr;
    auto& deployment = *owned->deployment;
    --deployment.running;
    const int64_t elapsed = nowNs() - owned->startNs;
    deployment.servedNs += elapsed;
    if (!owned->requests.empty()) {
      const auto mine = elapsed / static_cast<int64_t>(owned->requests.size());
      const int64_t average = deployment.requestNs.load(std::memory_order_relaxed);
      deployment.requestNs.store(average + (mine - average) / 8, std::memory_order_relaxed);
      deployment.slowestNs = std::max(mine, deployment.slowestNs - deployment.slowestNs / 64);
    }
    if (owned->isInline) {
      putBackUnanswered(*owned);
    } else if (deployment.model && owned->rows > 0 && !worker.token->cancelled()) {
      deployment.batchSizes.ran(owned->rows, elapsed);
    }
  }
  for (auto* request : owned->requests) {
    request->channel->fail(request, ErrorCode::kInternal,
                           "The worker left the request unanswered.");
  }
  Channel::releaseAll(owned->requests);
}

void Scheduler::putBackUnanswered(Batch& batch) {
  auto& requests = batch.requests;
  const auto left = std::stable_partition(requests.begin(), requests.end(), [](auto* request) {
    return request->done.load(std::memory_order_acquire);
  });
  if (left == requests.end()) return;
  putBack(*batch.deployment, left, requests.end());
  requests.erase(left, requests.end());
}

std::shared_ptr<Deployment> Scheduler::pick(const Worker& worker, int64_t now) {
  const std::shared_ptr<Deployment>* least = nullptr;
  for (const uint32_t handle : worker.hosted) {
    const auto entry = deployments_.find(handle);
    if (entry == deployments_.end()) continue;
    absorb(*entry->second);
    if (!ready(*entry->second, now)) continue;
    if (least && (*least)->servedNs <= entry->second->servedNs) continue;
    if (!worker.entered(handle)) least = &entry->second;
  }
  return least ? *least : nullptr;
}

std::vector<Request*> Scheduler::pop(Deployment& deployment, size_t count, int64_t now) {
  std::vector<Request*> popped;
  popped.reserve(std::min(count, deployment.queue.size()));
  while (popped.size() < count && !deployment.queue.empty()) {
    Request* request = deployment.queue.front();
    deployment.queue.pop_front();
    if (!request->done.load(std::memory_order_acquire) && request->deadlineNs > now) {
      request->queued = false;
      request->queueNs = now - request->arrivalNs;
      popped.push_back(request);
      continue;
    }
    forget(deployment, request);
  }
  deployment.waiting -= static_cast<uint32_t>(popped.size());
  return popped;
}

// Lets go of a request that left the queue without running.
void Scheduler::forget(Deployment& deployment, Request* request) {
  request->queued = false;
  if (request->claim()) {
    --deployment.waiting;
    request->channel->completeFailed(request, ErrorCode::kDeadlineExceeded,
                                     "The request waited in the queue until its time was up.");
  }
  request->channel->release(request);
}

// Lets go of the requests at the front that have ended or are out of time.
void Scheduler::dropEnded(Deployment& deployment, int64_t now) {
  while (!deployment.queue.empty() &&
         (deployment.queue.front()->done.load(std::memory_order_acquire) ||
          deployment.queue.front()->deadlineNs <= now)) {
    Request* request = deployment.queue.front();
    deployment.queue.pop_front();
    forget(deployment, request);
  }
}

void Scheduler::putBack(Deployment& deployment, std::vector<Request*>::const_iterator first,
                        std::vector<Request*>::const_iterator last) {
  const bool removed = deployments_.count(deployment.handle) == 0;
  while (last != first) {
    Request* request = *--last;
    if (removed) {
      request->channel->fail(request, ErrorCode::kDeploymentUnavailable, kRemoved);
      request->channel->release(request);
      continue;
    }
    deployment.queue.push_front(request);
    request->queued = true;
    if (!request->done.load(std::memory_order_acquire)) ++deployment.waiting;
  }
  dropEnded(deployment, nowNs());
  if (deployment.waiting > 0) wakeFor(deployment.handle);
}

Scheduler::BatchBounds Scheduler::boundsFor(Deployment& deployment, const Worker& taker) const {
  const auto& limits = deployment.limits;
  // Whoever has requests wait for others wants batches full.
  const bool learns = deployment.model && limits.maxQueueDelayNs == 0;
  const size_t rows =
      learns ? deployment.batchSizes.next(limits.maxBatchSize) : limits.maxBatchSize;
  return {std::min(share(deployment, taker), rows), rows};
}

// How many requests a worker takes at most. Where a request is much work and other workers are
// idle, each gets its part: a batch saves less than a second core gives.
size_t Scheduler::share(const Deployment& deployment, const Worker& taker) const {
  const auto& limits = deployment.limits;
  const int64_t workNs = deployment.requestNs.load(std::memory_order_relaxed);
  if (workNs < kWorthWakingNs || limits.maxQueueDelayNs > 0) return limits.maxBatchSize;
  const auto able = std::count_if(workers_.begin(), workers_.end(), [&](const auto& worker) {
    return worker.get() == &taker || worker->idleFor(deployment.handle);
  });
  const auto workers = static_cast<size_t>(able);
  return std::min<size_t>(limits.maxBatchSize, (deployment.waiting + workers - 1) / workers);
}

}  // namespace cloudeasyml::serving
