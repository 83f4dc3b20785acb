// What must wait until no lock is held.
#pragma once

#include <memory>
#include <vector>

#include "runtime/failure.h"
#include "serving/request.h"

namespace cloudeasyml::serving {

/// Collects the ends of requests while a lock is held, and has their consequences when it goes out
/// of scope: front ends are woken, requests go back to their pools. To be declared before the lock.
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
  /// Gives up a hold.
  void release(Request& request) { released_.push_back(&request); }

 private:
  std::vector<std::shared_ptr<Channel>> channels_;
  std::vector<Request*> released_;
};

}  // namespace cloudeasyml::serving
