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

  /// Reads one more request of the batch that is being formed, and sets its `rows`.
  /// @throws protocols::RequestError
  virtual void read(Request& request) = 0;
  /// Forgets the request read last: it goes into a later batch.
  virtual void unread() noexcept = 0;
  /// Runs what was read since the last run and completes each request. An inline batch whose token
  /// is cancelled may be left unanswered. To be called where the backend is native.
  virtual void run(const Batch& batch, const runtime::CancellationToken& token) = 0;
  /// Forgets what was read, and gives back memory that recent batches had no use for.
  virtual void clear() noexcept = 0;
};

/// A model as the serving layer sees it. It knows nothing of protocols' bytes or of queues. May be
/// used from any thread.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::unique_ptr<ExecutionContext> makeContext() const = 0;
  /// The engine's threads run its batches; else JavaScript does.
  virtual bool isNative() const noexcept = 0;
  /// Rows of different requests may share a run. Else a batch spares nothing.
  virtual bool joinsRequests() const noexcept = 0;
};

}  // namespace cloudeasyml::serving
