// Batches, from the queue to their end.
#include <algorithm>
#include <utility>

#include "serving/channel.h"
#include "serving/dispatcher.h"
#include "serving/formBatch.h"
#include "serving/requestPool.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

// Requests that did not become a batch return to the queue, also after an exception.
Dispatcher::Taken::~Taken() {
  if (requests.empty()) return;
  Deferred deferred;
  deployment->queue.putBack(requests.data(), requests.size(), deferred);
  deployment->queue.ended(0, 0, 0);
}

Batch* Dispatcher::take(Worker& worker, Waiting waiting) {
  for (;;) {
    const int64_t now = nowNs();
    Taken taken;
    std::shared_ptr<Deployment> other;
    size_t idle = 1;
    {
      std::lock_guard lock(mutex_);
      worker.waiting = Waiting::kNot;
      for (const uint32_t handle : worker.left) worker.leave(handle);
      worker.left.clear();
      if (worker.isClosed) return nullptr;
      taken.deployment = pick(worker, now, other);
      if (!taken.deployment) {
        worker.waiting = waiting;
        return nullptr;
      }
      worker.entered.push_back(taken.deployment->handle);
      if (taken.deployment->queue.load().requestNs() >= kWorthWakingNs) {
        idle = idleWorkers(worker, taken.deployment->handle);
      }
    }
    const auto deployment = taken.deployment;
    bool isMoreReady = false;
    {
      Deferred deferred;
      taken.requests = deployment->queue.take(now, idle, taken.bounds, isMoreReady, deferred);
    }
    // Other workers take the rest.
    if (isMoreReady) wakeFor(deployment->handle);
    if (other) wakeFor(other->handle);
    if (!taken.requests.empty()) {
      if (Batch* batch = form(worker, std::move(taken), now, false)) return batch;
      continue;
    }
    worker.left.push_back(deployment->handle);
  }
}

Batch* Dispatcher::takeInline(Worker& worker, const std::shared_ptr<Deployment>& deployment) {
  if (!deployment->backend->isNative()) return nullptr;
  const int64_t now = nowNs();
  Taken taken;
  taken.deployment = deployment;
  {
    Deferred deferred;
    taken.requests = deployment->queue.takeInline(now, inlineNs_, taken.bounds, deferred);
  }
  if (taken.requests.empty()) return nullptr;
  lastBusyNs_.store(now, std::memory_order_relaxed);
  timer_.wakeBy(now + kTickNs);
  return form(worker, std::move(taken), now, true);
}

// @param other set to another deployment with a batch ready, if any
std::shared_ptr<Deployment> Dispatcher::pick(const Worker& worker, int64_t now,
                                             std::shared_ptr<Deployment>& other) {
  std::shared_ptr<Deployment> least;
  for (size_t i = 0; i < listed_.size();) {
    const auto deployment = listed_[i];
    if (deployment->queue.waiting() == 0 && deployment->queue.running() == 0) {
      deployment->isListed = false;
      std::swap(listed_[i], listed_.back());
      listed_.pop_back();
      continue;
    }
    ++i;
    const uint32_t handle = deployment->handle;
    if (worker.hosted.count(handle) == 0 || worker.hasEntered(handle)) continue;
    if (deployment->queue.readyNs(now) > now) continue;
    if (!least || deployment->servedNs < least->servedNs) {
      other = std::exchange(least, deployment);
    } else {
      other = deployment;
    }
  }
  return least;
}

size_t Dispatcher::idleWorkers(const Worker& taker, uint32_t handle) const {
  const auto able = std::count_if(workers_.begin(), workers_.end(), [&](const auto& worker) {
    return worker.get() == &taker || worker->isIdleFor(handle);
  });
  return std::max<size_t>(static_cast<size_t>(able), 1);
}

// Makes a batch of requests that left a queue, and decodes them without a lock.
// @returns null where no request is left to run
Batch* Dispatcher::form(Worker& worker, Taken taken, int64_t now, bool isInline) {
  const auto& deployment = taken.deployment;
  if (servedNs_ < deployment->servedNs) servedNs_ = deployment->servedNs.load();
  auto owned = std::make_unique<Batch>();
  Batch* batch = owned.get();
  batch->id = nextBatch_++;
  batch->deployment = deployment;
  batch->startNs = batch->chargedUntilNs = now;
  batch->isInline = isInline;
  batch->context = deployment->takeContext();
  batch->requests.reserve(taken.requests.size());
  std::shared_ptr<runtime::CancellationToken> token;
  if (!worker.token || worker.token->cancelled()) token = worker.makeToken();
  // The sweep does not see these requests until the batch is among the worker's. It finds those
  // that are late then.
  const std::vector<Request*> requests = std::exchange(taken.requests, {});
  const size_t rest = formBatch(*batch, requests, taken.bounds.rows);
  if (rest < requests.size()) {
    {
      Deferred deferred;
      deployment->queue.putBack(requests.data() + rest, requests.size() - rest, deferred);
    }
    wakeFor(deployment->handle);
  }
  const bool isEmpty = batch->requests.empty();
  {
    std::lock_guard lock(worker.mutex);
    if (token) worker.token = std::move(token);
    worker.active.push_back(std::move(owned));
    if (!isEmpty) worker.current = batch;
  }
  if (!isEmpty) return batch;
  finish(worker, batch);
  return nullptr;
}

void Dispatcher::leave(Worker& worker) {
  std::lock_guard lock(worker.mutex);
  worker.current = nullptr;
}

std::shared_ptr<runtime::CancellationToken> Dispatcher::tokenFor(Worker& worker, uint32_t id,
                                                                 uint32_t index) {
  std::lock_guard lock(worker.mutex);
  // The thread is still inside the batch's code.
  if (worker.current && worker.current->id == id) return worker.token;
  const auto entry = std::find_if(worker.active.begin(), worker.active.end(),
                                  [&](const auto& each) { return each->id == id; });
  if (entry == worker.active.end()) return nullptr;
  Batch& batch = **entry;
  batch.runFor = index;
  if (!batch.token || batch.token->cancelled()) batch.token = worker.makeToken();
  if (batch.hasEnded(index)) batch.token->cancel();
  return batch.token;
}

void Dispatcher::watchBatch(Worker& worker, uint32_t id) {
  std::lock_guard lock(worker.mutex);
  for (const auto& batch : worker.active) {
    if (batch->id == id) batch->isWatched = true;
  }
}

bool Dispatcher::run(Worker& worker, Batch* batch) {
  bool isDone = true;
  try {
    batch->context->run(*batch, *worker.token);
  } catch (const std::exception&) {
    isDone = false;
  }
  finish(worker, batch);
  return isDone;
}

void Dispatcher::finish(Worker& worker, Batch* batch) {
  std::unique_ptr<Batch> owned;
  bool wasCancelled;
  {
    std::lock_guard lock(worker.mutex);
    const auto entry = std::find_if(worker.active.begin(), worker.active.end(),
                                    [&](const auto& each) { return each.get() == batch; });
    if (entry == worker.active.end()) return;
    owned = std::move(*entry);
    worker.active.erase(entry);
    if (worker.current == batch) worker.current = nullptr;
    wasCancelled = worker.token && worker.token->cancelled();
  }
  auto& deployment = *owned->deployment;
  const int64_t elapsedNs = nowNs() - owned->startNs;
  deployment.servedNs.fetch_add(elapsedNs, std::memory_order_relaxed);
  const bool tellsSizes = !owned->isInline && !wasCancelled;
  deployment.queue.ended(owned->requests.size(), tellsSizes ? owned->rows : 0, elapsedNs);
  owned->context->clear();
  deployment.returnContext(std::move(owned->context));
  if (owned->isInline) {
    Deferred deferred;
    putBackUnanswered(*owned, deferred);
  } else {
    worker.left.push_back(deployment.handle);
  }
  for (auto* request : owned->requests) {
    fail(*request, {ErrorCode::kInternal, "The worker left the request unanswered.", {}});
  }
  RequestPool::releaseAll(owned->requests);
}

void Dispatcher::putBackUnanswered(Batch& batch, Deferred& deferred) {
  auto& requests = batch.requests;
  const auto left = std::stable_partition(requests.begin(), requests.end(),
                                          [](const auto* request) { return request->hasEnded(); });
  if (left == requests.end()) return;
  batch.deployment->queue.putBack(&*left, static_cast<size_t>(requests.end() - left), deferred);
  requests.erase(left, requests.end());
}

}  // namespace cloudeasyml::serving
