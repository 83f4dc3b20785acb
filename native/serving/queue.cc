#include "serving/queue.h"

#include <algorithm>

#include "serving/time.h"

namespace cloudeasyml::serving {

namespace {

// Where even a rough estimate is this many times below the request's time, it is accepted.
constexpr int64_t kAmpleTimes = 4;

constexpr char kRemoved[] = "The deployment was removed before the request could run.";

}  // namespace

Queue::Queue(const BatchLimits& limits, BatchPolicy policy)
    : limits_(limits), policy_(policy), oldestNs_(kNever) {}

Offer Queue::offer(Request& request, size_t workers) {
  const size_t level = levelOf(request);
  if (waiting_.fetch_add(1) >= limits_.maxQueueSize) {
    --waiting_;
    return {Admission::kQueueFull, 0};
  }
  size_t ahead = 0;
  for (size_t each = protocols::kHighestPriority; each <= level; ++each) {
    ahead +=
        static_cast<size_t>(std::max(waitingAt_[each].load(std::memory_order_relaxed), int32_t{0}));
  }
  const int64_t timeNs = request.deadlineNs - request.arrivalNs;
  const auto roughly = static_cast<int64_t>(ahead + 2) * load_.requestNs();
  // A request with none ahead is always accepted: its time corrects the estimate.
  if (ahead > 0 && roughly * kAmpleTimes > timeNs) {
    const int64_t answerNs =
        load_.answerNs(ahead, perBatch(), std::max<size_t>(workers, 1), running());
    if (answerNs > timeNs) {
      --waiting_;
      return {Admission::kShed, answerNs};
    }
  }
  waitingAt_[level].fetch_add(1, std::memory_order_relaxed);
  request.queued.store(true, std::memory_order_relaxed);
  arrivals_.push(&request);
  return {};
}

int64_t Queue::readyNs(int64_t now) {
  if (waiting() == 0) return kNever;
  if (limits_.maxQueueDelayNs == 0) return now;
  std::lock_guard lock(mutex_);
  absorb();
  if (isReady(now)) return now;
  return oldestNs_ == kNever ? kNever : oldestNs_ + limits_.maxQueueDelayNs;
}

std::vector<Request*> Queue::take(int64_t now, size_t idleWorkers, BatchBounds& bounds,
                                  bool& isMoreReady, Deferred& deferred) {
  std::lock_guard lock(mutex_);
  absorb();
  if (!isReady(now)) return {};
  bounds = boundsFor(idleWorkers);
  auto requests = pop(now, bounds.requests, deferred);
  isMoreReady = isReady(now);
  return requests;
}

std::vector<Request*> Queue::takeInline(int64_t now, int64_t mostNs, BatchBounds& bounds,
                                        Deferred& deferred) {
  std::lock_guard lock(mutex_);
  absorb();
  if (running() > 0 || !isReady(now)) return {};
  if (workNs() > mostNs || load_.slowestNs() > kInlineSlowestNs) return {};
  bounds = {limits_.maxBatchSize, limits_.maxBatchSize};
  return pop(now, bounds.requests, deferred);
}

void Queue::putBack(Request* const* requests, size_t number, Deferred& deferred) {
  std::lock_guard lock(mutex_);
  while (number > 0) {
    Request& request = *requests[--number];
    if (isClosed_) {
      deferred.fail(request, {ErrorCode::kDeploymentUnavailable, kRemoved, {}});
      deferred.release(request);
      continue;
    }
    request.queued.store(true, std::memory_order_relaxed);
    insert(request, true);
    count(request, 1);
  }
}

void Queue::ended(size_t requests, size_t rows, int64_t elapsedNs) {
  std::lock_guard lock(mutex_);
  --running_;
  if (requests == 0) return;
  load_.ran(requests, elapsedNs);
  if (policy_.learnsSizes && rows > 0) batchSizes_.ran(rows, elapsedNs);
}

void Queue::forget(Request& request) {
  std::lock_guard lock(mutex_);
  leave(request);
}

void Queue::expire(int64_t now, Deferred& deferred) {
  std::lock_guard lock(mutex_);
  absorb();
  for (auto& level : levels_) {
    while (!level.empty() && (level.front()->hasEnded() || level.front()->deadlineNs <= now)) {
      Request& request = *level.front();
      level.pop_front();
      drop(request, deferred);
    }
  }
  findOldest();
}

std::vector<Request*> Queue::close() {
  std::lock_guard lock(mutex_);
  absorb();
  isClosed_ = true;
  std::vector<Request*> left;
  for (auto& level : levels_) {
    left.insert(left.end(), level.begin(), level.end());
    level.clear();
  }
  for (auto* request : left) request->queued.store(false, std::memory_order_relaxed);
  waiting_ = 0;
  for (auto& each : waitingAt_) each = 0;
  return left;
}

void Queue::absorb() {
  arrivals_.takeAll([&](Request* request) { insert(*request, false); });
}

// Nearly all requests have the deployment's timeout, so the latest arrival has the last deadline.
void Queue::insert(Request& request, bool isFirst) {
  oldestNs_ = std::min(oldestNs_, request.arrivalNs);
  auto& level = levels_[levelOf(request)];
  const auto before = [](const Request* a, const Request* b) {
    return a->deadlineNs < b->deadlineNs;
  };
  if (level.empty() || (!isFirst && level.back()->deadlineNs <= request.deadlineNs)) {
    level.push_back(&request);
  } else if (isFirst) {
    level.insert(std::lower_bound(level.begin(), level.end(), &request, before), &request);
  } else {
    level.insert(std::upper_bound(level.begin(), level.end(), &request, before), &request);
  }
}

// A request is counted while its `queued` is set.
void Queue::leave(Request& request) noexcept {
  if (request.queued.exchange(false, std::memory_order_relaxed)) count(request, -1);
}

void Queue::count(const Request& request, int32_t change) noexcept {
  waiting_ += static_cast<uint32_t>(change);
  waitingAt_[levelOf(request)].fetch_add(change, std::memory_order_relaxed);
}

bool Queue::isReady(int64_t now) const noexcept {
  if (waiting() == 0) return false;
  if (limits_.maxQueueDelayNs == 0 || waiting() >= limits_.maxBatchSize) return true;
  return oldestNs_ != kNever && now >= oldestNs_ + limits_.maxQueueDelayNs;
}

void Queue::findOldest() noexcept {
  if (limits_.maxQueueDelayNs == 0) return;
  oldestNs_ = kNever;
  for (const auto& level : levels_) {
    for (const auto* request : level) oldestNs_ = std::min(oldestNs_, request->arrivalNs);
  }
}

BatchBounds Queue::boundsFor(size_t idleWorkers) {
  const size_t most = limits_.maxBatchSize;
  const bool hasWindow = limits_.maxQueueDelayNs > 0;
  const int64_t requestNs = load_.requestNs();
  if (!policy_.joins) {
    // Taking several at once only saves the cost of taking, which does not matter for slow
    // requests.
    const auto asCheap = static_cast<size_t>(kWorthWakingNs / std::max<int64_t>(requestNs, 1));
    const size_t requests = std::clamp<size_t>(asCheap, 1, std::max<size_t>(most, 1));
    perBatch_.store(requests, std::memory_order_relaxed);
    return {requests, SIZE_MAX};
  }
  // A window is set to fill batches.
  const size_t rows = policy_.learnsSizes && !hasWindow ? batchSizes_.next(most) : most;
  perBatch_.store(rows, std::memory_order_relaxed);
  if (requestNs < kWorthWakingNs || hasWindow) return {rows, rows};
  // Where requests are much work and other workers are idle, each takes a part: a second core gains
  // more than a larger batch.
  const size_t part = (waiting() + idleWorkers - 1) / std::max<size_t>(idleWorkers, 1);
  return {std::clamp<size_t>(part, 1, rows), rows};
}

// A request that has less time left than a run of it alone takes would only delay those behind it.
// It runs where there is no other: it may be faster than the average.
std::vector<Request*> Queue::pop(int64_t now, size_t most, Deferred& deferred) {
  const int64_t loneNs = load_.loneNs();
  std::vector<Request*> popped;
  popped.reserve(std::min<size_t>(most, waiting()));
  std::vector<Request*> late;
  for (auto& level : levels_) {
    while (popped.size() < most && !level.empty()) {
      Request& request = *level.front();
      level.pop_front();
      const int64_t leftNs = request.deadlineNs - now;
      if (request.hasEnded() || leftNs <= 0) {
        drop(request, deferred);
      } else if (leftNs < loneNs) {
        late.push_back(&request);
      } else {
        if (popped.empty()) most = mostWithin(leftNs, most);
        popped.push_back(&request);
      }
    }
  }
  if (popped.empty() && !late.empty()) {
    popped.push_back(late.back());
    late.pop_back();
  }
  for (auto* request : late) drop(*request, deferred);
  for (auto* request : popped) {
    leave(*request);
    request->queueNs = now - request->arrivalNs;
  }
  if (!popped.empty()) ++running_;
  findOldest();
  return popped;
}

// The largest batch with which its first request still meets its deadline.
size_t Queue::mostWithin(int64_t leftNs, size_t most) const noexcept {
  while (most > 1 && load_.batchNs(most) > leftNs) most /= 2;
  return most;
}

// Ends a request that leaves the queue without running.
void Queue::drop(Request& request, Deferred& deferred) {
  leave(request);
  deferred.fail(
      request,
      {ErrorCode::kDeadlineExceeded, "The request waited in the queue until its time was up.", {}});
  deferred.release(request);
}

}  // namespace cloudeasyml::serving
