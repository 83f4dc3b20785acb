// A deployment in the engine: one revision of a model, and its queue.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "serving/backend.h"
#include "serving/cacheLine.h"
#include "serving/limits.h"
#include "serving/queue.h"

namespace cloudeasyml::serving {

class Deployment {
 public:
  /// @param handle the number by which the engine's callers know it
  /// @param owner whose requests it takes
  Deployment(uint32_t handle, uint32_t owner, BatchLimits limits,
             std::shared_ptr<const Backend> backend)
      : handle(handle),
        owner(owner),
        limits(limits),
        backend(std::move(backend)),
        queue(limits, {this->backend->joinsRequests(), this->backend->isNative()}) {}
  ~Deployment() { dropContexts(); }

  const uint32_t handle;
  const uint32_t owner;
  const BatchLimits limits;
  const std::shared_ptr<const Backend> backend;

  Queue queue;
  /// Whether it takes requests; those that wait are served either way.
  std::atomic<bool> accepting{false};
  /// Workers that have loaded it.
  std::atomic<uint32_t> hosts{0};
  /// Streams that workers hold.
  std::atomic<uint32_t> streams{0};
  /// Worker time spent on it; the deployment with the least goes first. Raised after idle times, so
  /// that these earn no credit.
  std::atomic<int64_t> servedNs{0};
  /// Whether the dispatcher looks at its queue. Guarded by the dispatcher's lock.
  bool isListed = false;

  bool isIdle() const noexcept {
    return queue.waiting() == 0 && queue.running() == 0 && streams == 0;
  }

  /// A context for one batch: a used one where there is one.
  std::unique_ptr<ExecutionContext> takeContext() {
    if (ExecutionContext* spare = spare_.exchange(nullptr)) {
      return std::unique_ptr<ExecutionContext>(spare);
    }
    std::lock_guard lock(contextsMutex_);
    if (contexts_.empty()) return backend->makeContext();
    auto context = std::move(contexts_.back());
    contexts_.pop_back();
    return context;
  }
  void returnContext(std::unique_ptr<ExecutionContext> context) {
    ExecutionContext* none = nullptr;
    if (spare_.compare_exchange_strong(none, context.get())) {
      static_cast<void>(context.release());
      return;
    }
    std::lock_guard lock(contextsMutex_);
    contexts_.push_back(std::move(context));
  }
  /// Frees the contexts that no batch uses.
  void dropContexts() {
    const std::unique_ptr<ExecutionContext> spare(spare_.exchange(nullptr));
    std::vector<std::unique_ptr<ExecutionContext>> dropped;
    std::lock_guard lock(contextsMutex_);
    dropped.swap(contexts_);
  }

 private:
  // As many contexts as batches ran at once. One is taken without a lock; most deployments need
  // no more.
  std::atomic<ExecutionContext*> spare_{nullptr};
  std::mutex contextsMutex_;
  std::vector<std::unique_ptr<ExecutionContext>> contexts_;
};

}  // namespace cloudeasyml::serving
