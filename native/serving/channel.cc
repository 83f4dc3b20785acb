#include "serving/channel.h"

#include <utility>

#include "serving/requestPool.h"

namespace cloudeasyml::serving {

void Channel::drain(std::vector<Request*>& out) {
  // Cleared first, so that a completion after this wakes the front end.
  drainDue_ = false;
  completed_.takeAll([&](Request* request) { out.push_back(request); });
}

bool Channel::push(Request* request) {
  const bool isFirst = completed_.push(request);
  if (!closed_) return isFirst && !drainDue_;
  dropCompleted();
  return false;
}

void Channel::close() {
  wakeHandle_->close();
  closed_ = true;
  dropCompleted();
}

void Channel::dropCompleted() {
  std::vector<Request*> dropped;
  completed_.takeAll([&](Request* request) { dropped.push_back(request); });
  RequestPool::releaseAll(dropped);
}

void complete(Request& request) {
  Channel& channel = *request.channel;
  if (channel.push(&request)) channel.wake();
}

void completeFailed(Request& request, Failure failure) {
  request.setFailure(std::move(failure));
  complete(request);
}

void fail(Request& request, Failure failure) {
  if (request.claim()) completeFailed(request, std::move(failure));
}

}  // namespace cloudeasyml::serving
