// The timer's work: batch windows, deadlines, stuck workers.
#include <algorithm>
#include <utility>

#include "serving/channel.h"
#include "serving/deferred.h"
#include "serving/dispatcher.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

namespace {

// The timer keeps ticking for a while after the last request, so that the front end need not wake
// it for each that follows.
constexpr int64_t kLingerNs = 1000 * kMillisecond;

}  // namespace

int64_t Dispatcher::sweep(int64_t now) {
  bool isBusy = false;
  const int64_t windowNs = sweepQueues(now, isBusy);
  sweepWorkers(now, isBusy);
  if (isBusy) hasIdleContexts_ = true;
  const bool lingers = now <= lastBusyNs_.load(std::memory_order_relaxed) + kLingerNs;
  if (isBusy || lingers) return std::min(windowNs, now + kTickNs);
  if (std::exchange(hasIdleContexts_, false)) dropIdleContexts();
  return windowNs;
}

// @returns when the next window closes
int64_t Dispatcher::sweepQueues(int64_t now, bool& isBusy) {
  Deployments listed;
  {
    std::lock_guard lock(mutex_);
    listed = listed_;
  }
  int64_t next = kNever;
  for (const auto& deployment : listed) {
    auto& queue = deployment->queue;
    {
      Deferred deferred;
      queue.expire(now, deferred);
    }
    isBusy = isBusy || queue.waiting() > 0 || queue.running() > 0;
    const int64_t readyNs = queue.readyNs(now);
    if (readyNs <= now) {
      wakeFor(deployment->handle);
    } else {
      next = std::min(next, readyNs);
    }
  }
  return next;
}

// Ends requests and streams past their deadlines, cancels abandoned runs, and interrupts code that
// did not come back.
void Dispatcher::sweepWorkers(int64_t now, bool& isBusy) {
  std::vector<std::shared_ptr<Stream>> overdue;
  for (const auto& worker : workers()) {
    {
      Deferred deferred;
      std::lock_guard lock(worker->mutex);
      for (auto& batch : worker->active) {
        isBusy = true;
        for (auto* request : batch->requests) {
          if (request->deadlineNs > now) continue;
          deferred.fail(*request, {ErrorCode::kDeadlineExceeded,
                                   "The request was still running when its time was up.",
                                   {}});
        }
        if (batch->isInline && now > batch->startNs + kInlineSlowestNs) worker->token->cancel();
      }
      for (const auto& [number, stream] : worker->streams) {
        const int64_t dueNs = stream->stepDueNs();
        if (dueNs <= now) overdue.push_back(stream);
        isBusy = isBusy || dueNs != kNever;
      }
    }
    stopAbandoned(*worker);
    const int64_t dueNs = worker->section.dueNs();
    isBusy = isBusy || dueNs != kNever;
    if (dueNs <= now) worker->section.interruptIfDue(now);
  }
  for (const auto& stream : overdue) {
    stream->fail(
        {ErrorCode::kDeadlineExceeded, "The plugin took longer for a step than its time.", {}});
  }
}

void Dispatcher::dropIdleContexts() {
  for (const auto& deployment : directory_.all()) {
    if (deployment->isIdle()) deployment->dropContexts();
  }
}

std::vector<uint32_t> Dispatcher::overdueWorkers(int64_t graceNs) const {
  const int64_t overdueNs = nowNs() - graceNs;
  const auto isOverdue = [&](int64_t dueNs) { return dueNs < overdueNs || dueNs == kNever; };
  std::vector<uint32_t> overdue;
  for (const auto& worker : workers()) {
    std::lock_guard lock(worker->mutex);
    const auto& active = worker->active;
    const auto& streams = worker->streams;
    if (isOverdue(worker->section.dueNs()) &&
        std::all_of(active.begin(), active.end(),
                    [&](const auto& batch) { return isOverdue(batch->deadlineNs); }) &&
        std::all_of(streams.begin(), streams.end(),
                    [&](const auto& entry) { return isOverdue(entry.second->stepDueNs()); })) {
      overdue.push_back(worker->id);
    }
  }
  return overdue;
}

// Stops runs that nobody waits for any more, and tells the worker of requests that have ended.
void Dispatcher::stopAbandoned(Worker& worker) {
  std::vector<StreamInbox::Entry> notices;
  {
    std::lock_guard lock(worker.mutex);
    if (worker.current && worker.token && !worker.token->cancelled() &&
        worker.current->hasEnded(kWholeBatch)) {
      worker.token->cancel();
    }
    for (const auto& batch : worker.active) {
      if (batch->token && !batch->token->cancelled() && batch->hasEnded(batch->runFor)) {
        batch->token->cancel();
      }
      if (!batch->isWatched) continue;
      const auto& requests = batch->requests;
      const auto ended = static_cast<size_t>(
          std::count_if(requests.begin(), requests.end(),
                        [](const Request* request) { return request->hasEnded(); }));
      if (ended == std::exchange(batch->endedRequests, ended)) continue;
      notices.push_back({nullptr, batch->id, batch->deployment->handle, Notice::kRequestsEnded});
    }
  }
  for (auto& notice : notices) worker.inbox->post(std::move(notice));
}

}  // namespace cloudeasyml::serving
