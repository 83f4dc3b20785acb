// What runs a deployment's batches.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/cancellation.h"

namespace cloudeasyml::serving {

struct Batch;
struct Request;

/// What a backend needs while it runs one batch: decoded requests, buffers, bindings. Used by one
/// thread at a time, and used again for later batches.
class ExecutionContext {
 public:
  virtual ~ExecutionContext() = default;

  /// Decodes one more request of the batch that is being formed, and sets its `rows`.
  /// @throws protocols::RequestError
  virtual void read(Request& request) = 0;
  /// Drops the request that was decoded last: it goes into a later batch.
  virtual void unread() noexcept = 0;
  /// Runs the requests decoded since the last run and completes each. It may leave an inline batch
  /// unanswered whose token is cancelled. Only native backends run batches.
  virtual void run(const Batch& batch, const runtime::CancellationToken& token) = 0;
  /// Drops the decoded requests, and frees memory that recent batches did not need.
  virtual void clear() noexcept = 0;
};

/// A model as the serving layer sees it. It knows nothing of protocols' bytes or of queues. May be
/// used from any thread.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::unique_ptr<ExecutionContext> makeContext() const = 0;
  /// The engine runs its batches; else a worker's JavaScript does.
  virtual bool isNative() const noexcept = 0;
  /// Rows of different requests may share a run. Otherwise batching saves nothing.
  virtual bool joinsRequests() const noexcept = 0;
};

}  // namespace cloudeasyml::serving
