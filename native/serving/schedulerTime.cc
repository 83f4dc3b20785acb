// What the scheduler does as time goes by: windows that close, deadlines, workers that are stuck.
#include <algorithm>

#include "serving/scheduler.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

void Scheduler::keepTime() {
  constexpr int64_t kTick = 20 * kMillisecond;
  // Ticking on for a while after the last request spares the front end a wake-up for each that
  // follows.
  constexpr int64_t kLinger = 1000 * kMillisecond;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const int64_t now = nowNs();
    const int64_t window = sweep(now);
    const bool busy = std::any_of(deployments_.begin(), deployments_.end(), [](const auto& entry) {
      return entry.second->waiting > 0 || entry.second->running > 0;
    });
    if (!busy && now > lastBusyNs_ + kLinger) {
      timekeeperNextNs_ = kNever;
      timekeeperWake_.wait(lock);
      continue;
    }
    timekeeperNextNs_ = std::min(window, now + kTick);
    timekeeperWake_.wait_for(lock, std::chrono::nanoseconds(timekeeperNextNs_ - now));
  }
}

// Ends what is out of time and wakes workers for batches whose window has closed.
// @returns when the next window closes
int64_t Scheduler::sweep(int64_t now) {
  int64_t next = kNever;
  for (auto& [handle, deployment] : deployments_) {
    dropEnded(*deployment, now);
    if (deployment->waiting == 0) continue;
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
        request->channel->fail(request, "deadline_exceeded",
                               "The request was still running when its time was up.");
      }
    }
    terminateIfAbandoned(*worker);
  }
  return next;
}

std::vector<uint32_t> Scheduler::retireStalled(int64_t graceNs) {
  std::lock_guard lock(mutex_);
  const int64_t now = nowNs();
  const auto stuck = [&](const std::unique_ptr<Batch>& batch) {
    return batch->deadlineNs > 0 && now > batch->deadlineNs + graceNs;
  };
  std::vector<uint32_t> stalled;
  for (auto& worker : workers_) {
    const auto& active = worker->active;
    if (std::any_of(active.begin(), active.end(), stuck)) worker->retired = true;
    if (worker->retired && std::all_of(active.begin(), active.end(), stuck)) {
      stalled.push_back(worker->id);
    }
  }
  return stalled;
}

// Stops a native run that nobody waits for any more.
void Scheduler::terminateIfAbandoned(Worker& worker) {
  if (!worker.flag || worker.flag->stopped()) return;
  for (const auto& batch : worker.active) {
    if (!batch->deployment->model || batch->requests.empty()) continue;
    const bool abandoned = std::all_of(
        batch->requests.begin(), batch->requests.end(),
        [](const Request* request) { return request->done.load(std::memory_order_acquire); });
    if (abandoned) worker.flag->stop();
  }
}

}  // namespace cloudeasyml::serving
