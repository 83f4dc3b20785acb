// Requests handed from many threads to one, without a lock.
#pragma once

#include <atomic>

#include "serving/cacheLine.h"
#include "serving/request.h"

namespace cloudeasyml::serving {

/// Any thread puts requests down; one takes all that there are at once. A stack after R. K. Treiber
/// ("Systems Programming: Coping with Parallelism", 1986); that nobody takes a single one is what
/// spares it the trouble with nodes that come back. A request is in one such stack at a time.
///
/// All operations are sequentially consistent: a thread that pushes and then reads a token, and one
/// that sets the token and then takes, can't miss each other.
class RequestStack {
 public:
  /// @returns whether there was none
  bool push(Request* request) noexcept {
    Request* top = top_.load(std::memory_order_relaxed);
    do {
      request->below = top;
    } while (!top_.compare_exchange_weak(top, request));
    return !top;
  }

  bool empty() const noexcept { return !top_.load(); }

  /// Empties it, and calls `visit` with each request, in the order in which they were pushed.
  template <typename Visit>
  void takeAll(Visit visit) {
    if (empty()) return;
    Request* top = top_.exchange(nullptr);
    Request* oldest = nullptr;
    while (top) {
      // The rest of what another core wrote comes while the next one does.
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
