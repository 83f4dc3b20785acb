// A worker thread as the engine sees it.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

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
  Worker(uint32_t id, std::function<void()> wakeLoop) : id(id), wakeLoop(std::move(wakeLoop)) {}

  const uint32_t id;

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
  /// The options of the native run in progress, through which it can be terminated.
  std::optional<Ort::RunOptions> runOptions;
  bool terminated = false;
  /// It gets no more batches, and will be replaced.
  bool retired = false;
  bool closed = false;
};

}  // namespace cloudeasyml::serving
