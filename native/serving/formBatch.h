// Which of a queue's requests go into a batch together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "serving/deployment.h"
#include "serving/worker.h"

namespace cloudeasyml::serving {

struct Formed {
  /// Of the requests, as many from the front on are the batch's.
  size_t taken = 0;
  /// From here on they are for a later batch.
  size_t rest = 0;
  size_t rows = 0;
  /// When the last of the batch's runs out of time.
  int64_t deadlineNs = 0;
};

/// Reads requests until they have `mostRows`; the first may have more. Those that can't be read
/// fail here.
Formed formBatch(Worker& worker, const Deployment& deployment, std::vector<Request*>& requests,
                 size_t mostRows);

}  // namespace cloudeasyml::serving
