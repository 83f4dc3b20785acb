// The thread that handles deadlines and batch windows.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "serving/time.h"

namespace cloudeasyml::serving {

/// Calls `sweep`, which returns when it wants to be called next. Deadlines and batch windows so do
/// not depend on an event loop.
class Timer {
 public:
  /// @param sweep gets the time and returns that of its next call; kNever to wait for wakeBy().
  /// Called on the timer's thread, without a lock held.
  explicit Timer(std::function<int64_t(int64_t now)> sweep);
  ~Timer();

  /// Makes the next sweep come no later than this. Cheap where it would anyway.
  void wakeBy(int64_t ns) {
    if (nextNs_ > ns) request(ns);
  }

 private:
  void request(int64_t ns);
  void run();

  const std::function<int64_t(int64_t)> sweep_;
  /// When the next sweep comes; kNever also during a sweep, which may miss new requests.
  std::atomic<int64_t> nextNs_{kNever};

  std::mutex mutex_;
  std::condition_variable wake_;
  int64_t requestedNs_ = kNever;
  bool isStopping_ = false;
  std::thread thread_;
};

}  // namespace cloudeasyml::serving
