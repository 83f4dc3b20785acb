#include "serving/deferred.h"

#include <utility>

#include "serving/channel.h"
#include "serving/requestPool.h"

namespace cloudeasyml::serving {

Deferred::~Deferred() {
  for (const auto& channel : channels_) channel->wake();
  RequestPool::releaseAll(released_);
}

void Deferred::complete(Request& request) {
  auto& channel = *request.channel;
  if (channel.push(&request)) channels_.push_back(channel.shared_from_this());
}

void Deferred::completeFailed(Request& request, Failure failure) {
  request.setFailure(std::move(failure));
  complete(request);
}

void Deferred::fail(Request& request, Failure failure) {
  if (request.claim()) completeFailed(request, std::move(failure));
}

}  // namespace cloudeasyml::serving
