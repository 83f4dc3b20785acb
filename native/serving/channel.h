// The way back from the workers to a thread that owns sockets.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/failure.h"
#include "serving/cacheLine.h"
#include "serving/request.h"
#include "serving/requestStack.h"
#include "serving/wakeHandle.h"

namespace cloudeasyml::serving {

/// Collects one front end's completions, without a lock. The first since the last drain wakes it:
/// one wake-up, however many follow; and none while the front end is busy with requests, at whose
/// end it drains anyway.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  explicit Channel(std::shared_ptr<WakeHandle> wakeHandle) : wakeHandle_(std::move(wakeHandle)) {}

  // The front end's thread.

  /// Until the next drain, which the caller now owes, completions wake nobody.
  void expectDrain() noexcept { drainDue_.store(true, std::memory_order_relaxed); }
  /// Moves the completions that wait into `out`.
  void drain(std::vector<Request*>& out);
  /// After this, completions are dropped in silence: the front end is gone.
  void close();

  // Any thread.

  /// Hands over a request that the caller claimed and answered; the front end's hold goes with it.
  /// May be called under a lock.
  /// @returns whether wake() is owed
  bool push(Request* request);
  void wake() { (*wakeHandle_)(); }

 private:
  void dropCompleted();

  RequestStack completed_;
  /// The front end is in a turn of its event loop at whose end it drains.
  alignas(kCacheLine) std::atomic<bool> drainDue_{false};
  std::atomic<bool> closed_{false};
  const std::shared_ptr<WakeHandle> wakeHandle_;
};

/// Delivers a request that the caller claimed and answered. Not to be called under a lock.
void complete(Request& request);
/// Delivers a failure of a request that the caller claimed. Likewise.
void completeFailed(Request& request, Failure failure);
/// Claims the request and delivers a failure, unless it has ended already. Likewise.
void fail(Request& request, Failure failure);

}  // namespace cloudeasyml::serving
