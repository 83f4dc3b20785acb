#include "serving/formBatch.h"

#include <algorithm>

#include "protocols/requestError.h"
#include "serving/channel.h"
#include "serving/requestPool.h"

namespace cloudeasyml::serving {

namespace {

/// @returns false where the request could not be decoded and has failed
bool read(ExecutionContext& context, Request& request) {
  try {
    context.read(request);
    return true;
  } catch (const protocols::RequestError& error) {
    fail(request, {error.code(), error.what(), error.path()});
  } catch (const Error& error) {
    fail(request, {error.code(), error.what(), {}});
  } catch (const std::exception& error) {
    fail(request, {ErrorCode::kInternal, error.what(), {}});
  }
  request.pool->release(&request);
  return false;
}

}  // namespace

size_t formBatch(Batch& batch, const std::vector<Request*>& requests, size_t mostRows) {
  auto& context = *batch.context;
  for (size_t next = 0; next < requests.size(); ++next) {
    Request& request = *requests[next];
    // Another core wrote it: fetch it early.
    if (next + 1 < requests.size()) __builtin_prefetch(requests[next + 1]->body.view().data());
    // Its rows are known where it was decoded before and put back.
    if (request.rows > 0 && batch.rows > 0 && batch.rows + request.rows > mostRows) return next;
    if (!read(context, request)) continue;
    if (batch.rows > 0 && batch.rows + request.rows > mostRows) {
      context.unread();
      return next;
    }
    batch.rows += request.rows;
    batch.deadlineNs = std::max(batch.deadlineNs, request.deadlineNs);
    batch.requests.push_back(&request);
    if (batch.rows >= mostRows) return next + 1;
  }
  return requests.size();
}

}  // namespace cloudeasyml::serving
