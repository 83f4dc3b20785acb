// A lock-free stack: many threads push requests, one takes them.
#pragma once

#include <atomic>

#include "serving/cacheLine.h"
#include "serving/request.h"

namespace cloudeasyml::serving {

/// Any thread pushes requests; takeAll() takes all at once. A stack after R. K. Treiber ("Systems
/// Programming: Coping with Parallelism", 1986). Single requests are never popped, so there is no
/// ABA problem. A request is in one such stack at a time.
///
/// All operations are sequentially consistent: of a thread that pushes and then reads a flag, and
/// one that sets the flag and then takes, at least one sees the other.
class RequestStack {
 public:
  /// @returns whether the stack was empty
  bool push(Request* request) noexcept {
    Request* top = top_.load(std::memory_order_relaxed);
    do {
      request->below = top;
    } while (!top_.compare_exchange_weak(top, request));
    return !top;
  }

  bool empty() const noexcept { return !top_.load(); }

  /// Empties the stack and calls `visit` with each request, in the order in which they were pushed.
  template <typename Visit>
  void takeAll(Visit visit) {
    if (empty()) return;
    Request* top = top_.exchange(nullptr);
    Request* oldest = nullptr;
    while (top) {
      // Another core wrote them: fetch all lines of a request while the next one loads.
      for (size_t at = kCacheLine; at < sizeof(Request); at += kCacheLine) {
        __builtin_prefetch(reinterpret_cast<const char*>(top) + at);
      }
      Request* below = top->below;
      top->below = oldest;
      oldest = top;
      top = below;
    }
    while (oldest) {
      Request* next = oldest->below;
      visit(oldest);
      oldest = next;
    }
  }

 private:
  std::atomic<Request*> top_{nullptr};
};

}  // namespace cloudeasyml::serving
