// A worker's way into plugin code, which another thread can interrupt.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include "serving/time.h"

namespace cloudeasyml::serving {

/// Knows whether a worker's thread is inside plugin code, and until when it should be back.
///
/// The lock keeps an interruption from reaching the thread after it has left.
class CodeSection {
 public:
  /// @param interrupt makes the thread leave the code; called on another thread. Empty where that
  /// can't be done
  explicit CodeSection(std::function<void()> interrupt) : interrupt_(std::move(interrupt)) {}

  // The worker's thread.

  void enter(int64_t dueNs) {
    std::lock_guard lock(mutex_);
    isInterrupted_ = false;
    dueNs_.store(dueNs, std::memory_order_relaxed);
  }
  /// @returns whether it was interrupted
  bool leave() {
    std::lock_guard lock(mutex_);
    dueNs_.store(kNever, std::memory_order_relaxed);
    return isInterrupted_;
  }

  // Any thread.

  /// When the thread should be back; kNever where it is outside.
  int64_t dueNs() const noexcept { return dueNs_.load(std::memory_order_relaxed); }
  /// Interrupts the code where it should have been back.
  void interruptIfDue(int64_t now) {
    std::lock_guard lock(mutex_);
    if (now < dueNs() || isInterrupted_ || !interrupt_) return;
    isInterrupted_ = true;
    interrupt_();
  }

 private:
  const std::function<void()> interrupt_;
  std::atomic<int64_t> dueNs_{kNever};
  std::mutex mutex_;
  bool isInterrupted_ = false;
};

}  // namespace cloudeasyml::serving
