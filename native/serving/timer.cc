#include "serving/timer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace cloudeasyml::serving {

Timer::Timer(std::function<int64_t(int64_t)> sweep)
    : sweep_(std::move(sweep)), thread_([this] { run(); }) {}

Timer::~Timer() {
  {
    std::lock_guard lock(mutex_);
    isStopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Timer::request(int64_t ns) {
  {
    std::lock_guard lock(mutex_);
    if (requestedNs_ <= ns) return;
    requestedNs_ = ns;
  }
  wake_.notify_one();
}

void Timer::run() {
  std::unique_lock lock(mutex_);
  while (!isStopping_) {
    requestedNs_ = kNever;
    nextNs_ = kNever;
    lock.unlock();
    const int64_t wantedNs = sweep_(nowNs());
    lock.lock();
    int64_t next = std::min(wantedNs, requestedNs_);
    nextNs_ = next;
    while (!isStopping_ && next > nowNs()) {
      if (next == kNever) {
        wake_.wait(lock);
      } else {
        wake_.wait_for(lock, std::chrono::nanoseconds(next - nowNs()));
      }
      next = std::min(next, requestedNs_);
    }
  }
}

}  // namespace cloudeasyml::serving
