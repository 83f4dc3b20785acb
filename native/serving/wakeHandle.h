// Waking a thread from its event loop.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace cloudeasyml::serving {

/// A function that wakes a thread, until that thread is gone. Call it without a lock held, since it
/// may take a while.
class WakeHandle {
 public:
  explicit WakeHandle(std::function<void()> wake) : wake_(std::move(wake)) {}

  void operator()() {
    std::lock_guard lock(mutex_);
    if (wake_) wake_();
  }

  /// Calls do nothing after this.
  void close() {
    std::lock_guard lock(mutex_);
    wake_ = nullptr;
  }

 private:
  /// Guards the function's end only.
  std::mutex mutex_;
  std::function<void()> wake_;
};

}  // namespace cloudeasyml::serving
