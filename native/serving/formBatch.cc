#include "serving/formBatch.h"

#include <algorithm>

#include "codec/requestError.h"
#include "serving/channel.h"

namespace cloudeasyml::serving {

size_t formBatch(Worker& worker, Batch& batch, std::vector<Request*>& requests) {
  const auto& deployment = *batch.deployment;
  const uint32_t limit = deployment.limits.maxBatchSize;
  uint32_t rows = 0;
  size_t looked = 0;
  for (; looked < requests.size(); ++looked) {
    Request* request = requests[looked];
    // Another core wrote it.
    if (looked + 1 < requests.size()) __builtin_prefetch(requests[looked + 1]->body.view().data());
    // Known from an earlier look.
    if (request->rows > 0 && rows > 0 && rows + request->rows > limit) break;
    try {
      if (deployment.model) {
        worker.runner.read(*deployment.model, *request);
      } else if (request->rows == 0) {
        worker.runner.countRows(*request);
      }
    } catch (const codec::RequestError& error) {
      request->channel->fail(request, error.code(), error.what(), error.path());
      request->channel->release(request);
      continue;
    }
    if (rows > 0 && rows + request->rows > limit) {
      if (deployment.model) worker.runner.unread();
      break;
    }
    rows += request->rows;
    batch.requests.push_back(request);
    batch.deadlineNs = std::max(batch.deadlineNs, request->deadlineNs);
    if (rows >= limit) {
      ++looked;
      break;
    }
  }
  return looked;
}

}  // namespace cloudeasyml::serving
