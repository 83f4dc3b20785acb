// The requests that a worker has taken to run together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "runtime/cancellation.h"
#include "serving/backend.h"
#include "serving/deployment.h"
#include "serving/request.h"

namespace cloudeasyml::serving {

/// Stands for all requests of a batch, where one is named by its index.
constexpr uint32_t kWholeBatch = std::numeric_limits<uint32_t>::max();

struct Batch {
  uint32_t id = 0;
  std::shared_ptr<Deployment> deployment;
  std::unique_ptr<ExecutionContext> context;
  std::vector<Request*> requests;
  size_t rows = 0;
  int64_t startNs = 0;
  /// Of a plugin's code: until when its time has been charged to requests that ran one by one, and
  /// the time of those that ran together, once that is known.
  int64_t chargedUntilNs = 0;
  int64_t jointNs = 0;
  /// A front end runs it itself.
  bool isInline = false;
  /// When the last of its requests runs out of time.
  int64_t deadlineNs = 0;

  // For a plugin's code that goes on after the worker's thread has left it. Guarded by the worker's
  // lock.

  /// The request that its runs are for, and their token; null without runs.
  uint32_t runFor = kWholeBatch;
  std::shared_ptr<runtime::CancellationToken> token;
  /// The worker wants to know of requests that end without its doing.
  bool isWatched = false;
  size_t endedRequests = 0;

  bool hasEnded(uint32_t index) const {
    if (index < requests.size()) return requests[index]->hasEnded();
    return std::all_of(requests.begin(), requests.end(),
                       [](const Request* request) { return request->hasEnded(); });
  }
};

}  // namespace cloudeasyml::serving
