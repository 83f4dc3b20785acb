#include "serving/formBatch.h"

#include <algorithm>

#include "protocols/requestError.h"
#include "serving/channel.h"

namespace cloudeasyml::serving {

Formed formBatch(Worker& worker, const Deployment& deployment, std::vector<Request*>& requests,
                 size_t mostRows) {
  Formed formed;
  auto& rows = formed.rows;
  auto& next = formed.rest;
  for (; next < requests.size(); ++next) {
    Request* request = requests[next];
    // Another core wrote it.
    if (next + 1 < requests.size()) __builtin_prefetch(requests[next + 1]->body.view().data());
    // Known from an earlier look.
    if (request->rows > 0 && rows > 0 && rows + request->rows > mostRows) break;
    try {
      if (deployment.model) {
        worker.runner.read(*deployment.model, *request);
      } else if (request->rows == 0) {
        worker.runner.countRows(*request);
      }
    } catch (const protocols::RequestError& error) {
      request->channel->fail(request, error.code(), error.what(), error.path());
      request->channel->release(request);
      continue;
    }
    if (rows > 0 && rows + request->rows > mostRows) {
      if (deployment.model) worker.runner.unread();
      break;
    }
    rows += request->rows;
    requests[formed.taken++] = request;
    formed.deadlineNs = std::max(formed.deadlineNs, request->deadlineNs);
    if (rows >= mostRows) {
      ++next;
      break;
    }
  }
  return formed;
}

}  // namespace cloudeasyml::serving
