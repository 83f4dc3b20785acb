// A worker thread as the engine sees it.
#pragma once

#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include "runtime/runRegistry.h"
#include "serving/batch.h"
#include "serving/onnxRunner.h"
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
  using MakeFlag = std::function<std::shared_ptr<runtime::RunFlag>()>;

  Worker(uint32_t id, std::function<void()> wakeLoop, MakeFlag makeFlag)
      : id(id), makeFlag(std::move(makeFlag)), wakeLoop(std::move(wakeLoop)) {}

  const uint32_t id;
  const MakeFlag makeFlag;

  // Used by the worker's own thread alone.
  OnnxRunner runner;

  // Safe from any thread.
  Waker waker;

  // The rest is guarded by the scheduler's mutex.
  std::function<void()> wakeLoop;
  /// Handles of the deployments that it has loaded.
  std::unordered_set<uint32_t> hosted;
  /// One at most per deployment: a plugin's instance is never entered twice.
  std::vector<std::unique_ptr<Batch>> active;
  Waiting waiting = Waiting::kNot;
  /// What its native runs go on under; another one after each stop.
  std::shared_ptr<runtime::RunFlag> flag;
  /// It gets no more batches, and will be replaced.
  bool retired = false;
  bool closed = false;
};

}  // namespace cloudeasyml::serving
