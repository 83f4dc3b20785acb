// The requests that a worker has taken to run together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "serving/backend.h"
#include "serving/deployment.h"

namespace cloudeasyml::serving {

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
};

}  // namespace cloudeasyml::serving
