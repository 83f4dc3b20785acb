// The thread that looks after what time brings.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "serving/time.h"

namespace cloudeasyml::serving {

/// Closes batch windows and ends requests whose time is up, so that neither depends on any event
/// loop: it calls `sweep` now and then, which says when it wants to be called next.
class Timer {
 public:
  /// @param sweep takes the time, and returns the time of the next call; kNever for not before
  /// wakeBy(). Called on the timer's thread, without a lock held.
  explicit Timer(std::function<int64_t(int64_t now)> sweep);
  ~Timer();

  /// Has the next sweep come no later than this. Costs nothing where that is so anyway.
  void wakeBy(int64_t ns) {
    if (nextNs_ > ns) request(ns);
  }

 private:
  void request(int64_t ns);
  void run();

  const std::function<int64_t(int64_t)> sweep_;
  /// When the next sweep comes by itself; kNever also while one goes on, which may miss what is
  /// new.
  std::atomic<int64_t> nextNs_{kNever};

  std::mutex mutex_;
  std::condition_variable wake_;
  int64_t requestedNs_ = kNever;
  bool isStopping_ = false;
  std::thread thread_;
};

}  // namespace cloudeasyml::serving
