// A worker thread as the engine sees it.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/cancellation.h"
#include "serving/batch.h"
#include "serving/onnxRunner.h"
#include "serving/streamInbox.h"
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
  /// @param onNotice called when its inbox is no longer empty
  Worker(uint32_t id, std::function<void()> wakeLoop, MakeToken makeToken,
         std::function<void()> onNotice)
      : id(id),
        makeToken(std::move(makeToken)),
        inbox(std::make_shared<StreamInbox>(std::move(onNotice))),
        wakeLoop(std::move(wakeLoop)) {}

  const uint32_t id;
  const MakeToken makeToken;

  // Used by the worker's own thread alone.
  OnnxRunner runner;

  // Safe from any thread.
  Waker waker;
  const std::shared_ptr<StreamInbox> inbox;

  // The rest is guarded by the scheduler's mutex.
  std::function<void()> wakeLoop;
  /// Handles of the deployments that it has loaded.
  std::unordered_set<uint32_t> hosted;
  /// One at most per deployment.
  std::vector<std::unique_ptr<Batch>> active;
  Waiting waiting = Waiting::kNot;
  /// Those it holds, by their number, until their plugin's code has ended.
  std::unordered_map<uint32_t, std::shared_ptr<Stream>> streams;
  uint32_t nextStream = 0;
  /// The batch that its thread is inside of right now.
  Batch* current = nullptr;
  /// What the runs of its batches go on under; another one after each stop.
  std::shared_ptr<runtime::CancellationToken> token;
  /// It gets no more batches, and will be replaced.
  bool retired = false;
  bool closed = false;

  /// A plugin's instance is never entered twice, so a worker takes no second batch of a deployment.
  bool entered(uint32_t handle) const {
    return std::any_of(active.begin(), active.end(),
                       [&](const auto& batch) { return batch->deployment->handle == handle; });
  }
  /// Whether it waits and could take a batch of a deployment.
  bool idleFor(uint32_t handle) const {
    return waiting != Waiting::kNot && hosted.count(handle) > 0 && !entered(handle);
  }
};

}  // namespace cloudeasyml::serving
