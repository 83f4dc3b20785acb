// Work that must wait until no lock is held.
#pragma once

#include <memory>
#include <vector>

#include "runtime/failure.h"
#include "serving/request.h"

namespace cloudeasyml::serving {

/// Ends requests while a lock is held. When it goes out of scope it wakes front ends and returns
/// requests to their pools. Declare it before the lock, so that it is destroyed after it.
class Deferred {
 public:
  Deferred() = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  ~Deferred();

  /// Ends a request that the caller claimed and answered.
  void complete(Request& request);
  /// Ends a request that the caller claimed.
  void completeFailed(Request& request, Failure failure);
  /// Ends a request with a failure, unless it has ended.
  void fail(Request& request, Failure failure);
  /// Releases a hold.
  void release(Request& request) { released_.push_back(&request); }

 private:
  std::vector<std::shared_ptr<Channel>> channels_;
  std::vector<Request*> released_;
};

}  // namespace cloudeasyml::serving
