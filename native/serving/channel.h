// Completions on their way from the workers to a socket thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/failure.h"
#include "serving/cacheLine.h"
#include "serving/request.h"
#include "serving/requestStack.h"
#include "serving/wakeHandle.h"

namespace cloudeasyml::serving {

/// Collects one front end's completions without a lock. The first one since the last drain wakes
/// the front end; further ones need no wake-up. While the front end handles requests none is needed
/// at all, because it drains afterwards.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  explicit Channel(std::shared_ptr<WakeHandle> wakeHandle) : wakeHandle_(std::move(wakeHandle)) {}

  // The front end's thread.

  /// Completions wake nothing until the next drain, which the caller must make.
  void expectDrain() noexcept { drainDue_.store(true, std::memory_order_relaxed); }
  /// Moves the completions that wait into `out`.
  void drain(std::vector<Request*>& out);
  /// Drops completions from now on: the front end is gone.
  void close();

  // Any thread.

  /// Queues a request that the caller claimed and answered, with the front end's hold on it. May be
  /// called under a lock.
  /// @returns whether the caller must call wake()
  bool push(Request* request);
  void wake() { (*wakeHandle_)(); }

 private:
  void dropCompleted();

  RequestStack completed_;
  /// The front end drains at the end of this turn of its event loop.
  alignas(kCacheLine) std::atomic<bool> drainDue_{false};
  std::atomic<bool> closed_{false};
  const std::shared_ptr<WakeHandle> wakeHandle_;
};

/// Counts an answer's bytes as held until its request is released.
/// @returns why it can't be delivered: it has more than `mostBytes`, or too many are held
std::optional<Failure> holdAnswer(Request& answered, size_t mostBytes);

/// Delivers a request that the caller claimed and answered. Not to be called under a lock.
void complete(Request& request);
/// The same, or a failure where the answer can't be delivered.
void completeAnswered(Request& request, size_t mostBytes);
/// Delivers a failure of a request that the caller claimed. Not to be called under a lock.
void completeFailed(Request& request, Failure failure);
/// Claims the request and delivers a failure, unless it has ended already. Not to be called
/// under a lock.
void fail(Request& request, Failure failure);

}  // namespace cloudeasyml::serving
