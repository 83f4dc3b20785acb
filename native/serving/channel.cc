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

std::optional<Failure> holdAnswer(Request& answered, size_t mostBytes) {
  if (answered.answer.size() > mostBytes) {
    const auto error = protocols::AnswerGuard::tooLarge(mostBytes);
    return Failure{error.code(), error.what(), {}};
  }
  switch (RequestPool::holdAnswer(answered)) {
    case ByteBudget::Result::kUserFull:
      return Failure{ErrorCode::kOverloaded,
                     "The server holds as many bytes of the user's requests and unread answers as "
                     "one user may have, a quarter of maxHeldBytes.",
                     {}};
    case ByteBudget::Result::kServerFull:
      return Failure{ErrorCode::kOverloaded,
                     "The server holds as many bytes of requests and unread answers as its "
                     "maxHeldBytes allows.",
                     {}};
    case ByteBudget::Result::kTaken:
      break;
  }
  return std::nullopt;
}

void complete(Request& request) {
  Channel& channel = *request.channel;
  if (channel.push(&request)) channel.wake();
}

void completeAnswered(Request& request, size_t mostBytes) {
  if (auto refusal = holdAnswer(request, mostBytes)) {
    std::string().swap(request.answer);
    request.setFailure(std::move(*refusal));
  }
  complete(request);
}

void completeFailed(Request& request, Failure failure) {
  request.setFailure(std::move(failure));
  complete(request);
}

void fail(Request& request, Failure failure) {
  if (request.claim()) completeFailed(request, std::move(failure));
}

}  // namespace cloudeasyml::serving
