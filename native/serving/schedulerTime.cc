// What the scheduler does as time goes by: windows that close, deadlines, workers that are stuck.
#include <algorithm>

#include "serving/scheduler.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

void Scheduler::runTimer() {
  constexpr int64_t kTick = 20 * kMillisecond;
  // Ticking on for a while after the last request spares the front end a wake-up for each that
  // follows.
  constexpr int64_t kLinger = 1000 * kMillisecond;
  std::vector<std::shared_ptr<Stream>> overdue;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const int64_t now = nowNs();
    overdue.clear();
    const int64_t window = sweep(now, overdue);
    if (!overdue.empty()) {
      // Ending a stream wakes its worker, which takes this lock.
      lock.unlock();
      for (const auto& stream : overdue) {
        stream->fail(ErrorCode::kDeadlineExceeded,
                     "The plugin took longer for a step than its time.");
      }
      lock.lock();
      continue;
    }
    const bool busy = streamsBusy_ ||
                      std::any_of(deployments_.begin(), deployments_.end(), [](const auto& entry) {
                        return entry.second->waiting > 0 || entry.second->running > 0;
                      });
    if (!busy && now > lastBusyNs_ + kLinger) {
      timerNextNs_ = kNever;
      if (!arrived()) timerWake_.wait(lock);
      continue;
    }
    const int64_t next = std::min(window, now + kTick);
    timerNextNs_ = next;
    if (!arrived()) timerWake_.wait_for(lock, std::chrono::nanoseconds(next - now));
  }
}

// Whether requests were handed in that no queue has yet.
bool Scheduler::arrived() const {
  return std::any_of(deployments_.begin(), deployments_.end(),
                     [](const auto& entry) { return !entry.second->arrivals.empty(); });
}

void Scheduler::notifyTimer() {
  // With the mutex it waits, or will look again.
  std::lock_guard lock(mutex_);
  timerWake_.notify_one();
}

// Ends what is out of time and wakes workers for batches whose window has closed.
// @param overdue takes the streams that are to be ended without the lock
// @returns when the next window closes
int64_t Scheduler::sweep(int64_t now, std::vector<std::shared_ptr<Stream>>& overdue) {
  int64_t next = kNever;
  streamsBusy_ = false;
  for (auto& [handle, deployment] : deployments_) {
    absorb(*deployment);
    dropEnded(*deployment, now);
    if (deployment->queue.empty()) continue;
    if (ready(*deployment, now)) {
      wakeFor(handle);
    } else {
      next =
          std::min(next, deployment->queue.front()->arrivalNs + deployment->limits.maxQueueDelayNs);
    }
  }
  for (auto& worker : workers_) {
    for (auto& batch : worker->active) {
      for (auto* request : batch->requests) {
        if (request->deadlineNs > now) continue;
        request->channel->fail(request, ErrorCode::kDeadlineExceeded,
                               "The request was still running when its time was up.");
      }
      if (batch->isInline && now > batch->startNs + kInlineSlowestNs && worker->token) {
        worker->token->cancel();
      }
    }
    terminateIfAbandoned(*worker);
    for (auto& [number, stream] : worker->streams) {
      const int64_t dueNs = stream->stepDueNs();
      if (dueNs <= now) overdue.push_back(stream);
      streamsBusy_ = streamsBusy_ || dueNs != kNever;
    }
  }
  return next;
}

void Scheduler::busyNow(int64_t now) {
  lastBusyNs_ = now;
  if (timerNextNs_ == kNever) timerWake_.notify_one();
}

std::vector<uint32_t> Scheduler::retireStalled(int64_t graceNs) {
  std::lock_guard lock(mutex_);
  const int64_t now = nowNs();
  const auto stuck = [&](const std::unique_ptr<Batch>& batch) {
    return batch->deadlineNs > 0 && now > batch->deadlineNs + graceNs;
  };
  // A worker that turns its event loop takes what is in its inbox.
  const auto unresponsive = [&](const Worker& worker) {
    const int64_t sinceNs = worker.inbox->waitingSinceNs();
    if (sinceNs == kNever || now < sinceNs + graceNs) return false;
    return std::all_of(worker.streams.begin(), worker.streams.end(),
                       [](const auto& entry) { return entry.second->stepDueNs() == kNever; });
  };
  std::vector<uint32_t> stalled;
  for (auto& worker : workers_) {
    const auto& active = worker->active;
    const bool idleOrStuck = std::all_of(active.begin(), active.end(), stuck);
    if (std::any_of(active.begin(), active.end(), stuck) ||
        (idleOrStuck && unresponsive(*worker))) {
      worker->retired = true;
    }
    if (worker->retired && idleOrStuck) stalled.push_back(worker->id);
  }
  return stalled;
}

// Stops a run that nobody waits for any more. Of a plugin's code it stops what it runs before it
// first awaits something: which batch is behind later runs only the code itself knows.
void Scheduler::terminateIfAbandoned(Worker& worker) {
  if (!worker.current || !worker.token || worker.token->cancelled()) return;
  const auto& requests = worker.current->requests;
  const bool abandoned = std::all_of(requests.begin(), requests.end(), [](const Request* request) {
    return request->done.load(std::memory_order_acquire);
  });
  if (abandoned) worker.token->cancel();
}

}  // namespace cloudeasyml::serving
