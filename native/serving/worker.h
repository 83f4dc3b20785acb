// A worker thread as the engine sees it.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/cancellation.h"
#include "serving/batch.h"
#include "serving/codeSection.h"
#include "serving/streamInbox.h"
#include "serving/wakeHandle.h"
#include "serving/waker.h"

namespace cloudeasyml::serving {

/// How a worker without work waits for it.
enum class Waiting {
  kNot,
  /// In poll(), on its Waker.
  kNatively,
  /// In its event loop, until `wakeLoop` is called.
  kInEventLoop,
};

class Worker {
 public:
  using MakeToken = std::function<std::shared_ptr<runtime::CancellationToken>()>;

  /// @param wakeLoop wakes the worker from its event loop
  /// @param interrupt makes it leave plugin code; see CodeSection
  /// @param onNotice called when its inbox gets its first notice
  Worker(uint32_t id, std::shared_ptr<WakeHandle> wakeLoop, MakeToken makeToken,
         std::function<void()> interrupt, std::function<void()> onNotice)
      : id(id),
        makeToken(std::move(makeToken)),
        wakeLoop(std::move(wakeLoop)),
        section(std::move(interrupt)),
        inbox(std::make_shared<StreamInbox>(std::move(onNotice))) {}

  const uint32_t id;
  const MakeToken makeToken;

  // Safe from any thread.
  const std::shared_ptr<WakeHandle> wakeLoop;
  Waker waker;
  CodeSection section;
  const std::shared_ptr<StreamInbox> inbox;
  std::atomic<uint32_t> streamCount{0};

  // Its own thread's.

  /// Handles of deployments whose batches ended since the last take().
  std::vector<uint32_t> left;

  // Guarded by the dispatcher's lock.

  /// Handles of the deployments that it has loaded.
  std::unordered_set<uint32_t> hosted;
  /// Handles of those that it holds a batch of. It takes no second one, so that a plugin's instance
  /// is never entered twice.
  std::vector<uint32_t> entered;
  Waiting waiting = Waiting::kNot;
  bool isClosed = false;

  // Guarded by its own lock. Only its own thread adds to and takes from `active`, and sets `token`.

  mutable std::mutex mutex;
  /// At most one per deployment.
  std::vector<std::unique_ptr<Batch>> active;
  /// The batch that its thread runs now.
  Batch* current = nullptr;
  /// The token of its batches' runs; replaced after each cancellation.
  std::shared_ptr<runtime::CancellationToken> token;
  /// Its streams by number, until their plugin's code has ended.
  std::unordered_map<uint32_t, std::shared_ptr<Stream>> streams;
  uint32_t nextStream = 0;

  bool hasEntered(uint32_t handle) const {
    return std::find(entered.begin(), entered.end(), handle) != entered.end();
  }
  void leave(uint32_t handle) {
    entered.erase(std::remove(entered.begin(), entered.end(), handle), entered.end());
  }
  /// Whether it is idle and may take a batch of a deployment.
  bool isIdleFor(uint32_t handle) const {
    return waiting != Waiting::kNot && hosted.count(handle) > 0 && !hasEntered(handle);
  }

  /// Wakes it from this way of waiting. Not to be called under a lock.
  void wake(Waiting from) {
    if (from == Waiting::kNatively) waker.wake();
    if (from == Waiting::kInEventLoop && wakeLoop) (*wakeLoop)();
  }
};

}  // namespace cloudeasyml::serving
