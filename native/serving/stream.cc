#include "serving/stream.h"

#include <algorithm>
#include <utility>

#include "serving/channel.h"
#include "serving/deployment.h"
#include "serving/requestPool.h"
#include "serving/streamInbox.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

namespace {

// How much may wait in each direction before its source must wait. The source goes on when half of
// it is left.
constexpr size_t kMostInputs = 64;
constexpr size_t kMostInputBytes = 256 * 1024;
constexpr uint32_t kMostOutputs = 64;
constexpr size_t kMostOutputBytes = 128 * 1024;

void releaseAll(const std::deque<Request*>& requests) {
  for (auto* request : requests) request->pool->release(request);
}

}  // namespace

Stream::Stream(std::shared_ptr<RequestPool> pool, const Request& opening, std::string tag)
    : pool(std::move(pool)),
      ticket(opening.ticket),
      protocol(*opening.protocol),
      share(*opening.share),
      tag(std::move(tag)),
      requestId(opening.requestId),
      stepDueNs_(kNever) {}

Stream::~Stream() { releaseAll(inputs_); }

Request* Stream::openCompletion() { return pool->openCompletion(ticket, protocol, share); }

void Stream::start(int64_t timeoutNs) {
  const int64_t most = deployment->limits.timeoutNs;
  std::lock_guard lock(mutex_);
  stepNs_ = timeoutNs > 0 ? std::min(timeoutNs, most) : most;
  expectStep();
}

bool Stream::push(Request* input) {
  uint32_t notices = 0;
  bool room;
  Deferred deferred;
  {
    std::lock_guard lock(mutex_);
    if (ended_) {
      deferred.release(*input);
      return true;
    }
    inputs_.push_back(input);
    inputBytes_ += input->body.size();
    room = inputs_.size() < kMostInputs && inputBytes_ < kMostInputBytes;
    if (!room) writerHeld_ = true;
    if (std::exchange(starving_, false)) {
      expectStep();
      notices = Notice::kInput;
    }
  }
  notify(notices);
  return room;
}

void Stream::endInput() {
  uint32_t notices = 0;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    inputEnded_ = true;
    if (std::exchange(starving_, false)) {
      expectStep();
      notices = Notice::kInput;
    }
  }
  notify(notices);
}

void Stream::cancel() {
  cancelled_ = true;
  std::deque<Request*> dropped;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    dropped = end();
    stopRuns();
  }
  releaseAll(dropped);
  notify(Notice::kStop);
}

void Stream::holdReader(bool held) {
  uint32_t notices;
  {
    std::lock_guard lock(mutex_);
    readerHeld_ = held;
    notices = makeRoom();
  }
  notify(notices);
}

void Stream::fetched(const Request& completion) {
  if (completion.outcome != Outcome::kOutput) return;
  uint32_t notices;
  {
    std::lock_guard lock(mutex_);
    --unread_;
    unreadBytes_ -= completion.answer.size();
    notices = makeRoom();
  }
  notify(notices);
}

Stream::Input Stream::take(Request*& input) {
  Deferred deferred;
  std::lock_guard lock(mutex_);
  if (ended_) return Input::kEnded;
  if (inputs_.empty()) {
    if (inputEnded_) return Input::kEnded;
    starving_ = true;
    awaitClient();
    return Input::kNone;
  }
  input = inputs_.front();
  inputs_.pop_front();
  inputBytes_ -= input->body.size();
  expectStep();
  if (writerHeld_ && inputs_.size() <= kMostInputs / 2 && inputBytes_ <= kMostInputBytes / 2) {
    askForInput(deferred);
  }
  return Input::kTaken;
}

bool Stream::emit(Request* output) {
  Deferred deferred;
  std::lock_guard lock(mutex_);
  if (ended_) {
    deferred.release(*output);
    return false;
  }
  output->outcome = Outcome::kOutput;
  output->stream = shared_from_this();
  output->seq = emitted_++;
  ++unread_;
  unreadBytes_ += output->answer.size();
  stalled_ = readerHeld_ || unread_ >= kMostOutputs || unreadBytes_ >= kMostOutputBytes;
  if (stalled_) {
    awaitClient();
  } else {
    expectStep();
  }
  // Under the lock, so that nothing overtakes it.
  deferred.complete(*output);
  return !stalled_;
}

bool Stream::finish(Request* completion) {
  std::deque<Request*> dropped;
  {
    Deferred deferred;
    std::lock_guard lock(mutex_);
    if (ended_) {
      deferred.release(*completion);
      return false;
    }
    dropped = end();
    completion->stream = shared_from_this();
    deferred.complete(*completion);
  }
  releaseAll(dropped);
  return true;
}

void Stream::fail(Failure failure) {
  std::deque<Request*> dropped;
  {
    Deferred deferred;
    std::lock_guard lock(mutex_);
    if (ended_) return;
    dropped = end();
    stopRuns();
    Request* completion = openCompletion();
    completion->stream = shared_from_this();
    deferred.completeFailed(*completion, std::move(failure));
  }
  releaseAll(dropped);
  notify(Notice::kStop);
}

std::shared_ptr<runtime::CancellationToken> Stream::token() {
  std::lock_guard lock(mutex_);
  if (!token_) {
    token_ = makeToken();
    if (ended_) token_->cancel();
  }
  return token_;
}

void Stream::notify(uint32_t notices) {
  if (notices == 0 || !inbox) return;
  inbox->post({shared_from_this(), number, deployment->handle, notices});
}

void Stream::expectStep() { stepDueNs_.store(nowNs() + stepNs_, std::memory_order_relaxed); }

void Stream::awaitClient() { stepDueNs_.store(kNever, std::memory_order_relaxed); }

uint32_t Stream::makeRoom() {
  if (ended_ || !stalled_ || readerHeld_) return 0;
  if (unread_ > kMostOutputs / 2 || unreadBytes_ > kMostOutputBytes / 2) return 0;
  stalled_ = false;
  expectStep();
  return Notice::kRoom;
}

void Stream::askForInput(Deferred& deferred) {
  writerHeld_ = false;
  Request* completion = openCompletion();
  completion->outcome = Outcome::kRoom;
  completion->stream = shared_from_this();
  deferred.complete(*completion);
}

std::deque<Request*> Stream::end() {
  ended_ = true;
  awaitClient();
  return std::exchange(inputs_, {});
}

void Stream::stopRuns() {
  if (token_) token_->cancel();
}

}  // namespace cloudeasyml::serving
