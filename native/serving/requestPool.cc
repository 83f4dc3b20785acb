#include "serving/requestPool.h"

#include <algorithm>
#include <utility>

#include "serving/stream.h"

namespace cloudeasyml::serving {

namespace {

// Buffers up to this size stay with a pooled request.
constexpr size_t kKeptBytes = 64 * 1024;
// Requests that the front end takes at once. More would leave none to streams, which would make new
// ones.
constexpr size_t kRefill = 64;

// Of a body that will be written.
constexpr size_t kPrefetchedBytes = 3 * kCacheLine;

void prefetchToWrite(const void* memory, size_t size) {
  for (size_t at = 0; at < size; at += kCacheLine) {
    __builtin_prefetch(static_cast<const char*>(memory) + at, 1);
  }
}

/// Empties a request without holders. @returns the stream that it kept alive
std::shared_ptr<Stream> empty(Request& request) {
  request.body.clear(kKeptBytes);
  if (request.answer.capacity() > kKeptBytes) std::string().swap(request.answer);
  request.answer.clear();
  request.failure.reset();
  return std::move(request.stream);
}

/// Bytes that the request's release gives back.
size_t heldBytes(const Request& request) noexcept {
  return request.body.size() + request.heldAnswerBytes;
}

bool dropHolder(Request& request) {
  return request.holders.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace

RequestPool::RequestPool(std::shared_ptr<Channel> channel, std::shared_ptr<ByteBudget> budget)
    : channel_(std::move(channel)), budget_(std::move(budget)) {}

ByteBudget::Result RequestPool::open(uint32_t ticket, uint32_t user, const void* bytes, size_t size,
                                     Request*& request) {
  channel_->expectDrain();
  auto& share = budget_->shareOf(user);
  const auto taken = budget_->take(share, size);
  if (taken != ByteBudget::Result::kTaken) return taken;
  if (freeList_.empty()) refill();
  request = freeList_.back();
  freeList_.pop_back();
  // A worker wrote them last. The first locked instruction would wait until they are this core's.
  const size_t left = freeList_.size();
  if (left > 1) prefetchToWrite(freeList_[left - 2], sizeof(Request));
  if (left > 0) prefetchToWrite(freeList_[left - 1]->body.view().data(), kPrefetchedBytes);
  request->body.append(bytes, size);
  prepare(request, ticket, share);
  return taken;
}

ByteBudget::Result RequestPool::append(Request& request, const void* bytes, size_t size) {
  const auto taken = budget_->take(*request.share, size);
  if (taken == ByteBudget::Result::kTaken) request.body.append(bytes, size);
  return taken;
}

ByteBudget::Result RequestPool::holdAnswer(Request& request) noexcept {
  const size_t size = request.answer.size();
  if (size <= kKeptBytes) return ByteBudget::Result::kTaken;
  const auto taken = request.pool->budget_->take(*request.share, size);
  if (taken == ByteBudget::Result::kTaken) request.heldAnswerBytes = size;
  return taken;
}

void RequestPool::close() {
  std::lock_guard lock(mutex_);
  free_.insert(free_.end(), freeList_.begin(), freeList_.end());
  freeList_.clear();
  if (free_.size() < all_.size()) self_ = shared_from_this();
}

Request* RequestPool::openCompletion(uint32_t ticket, const protocols::Protocol& protocol,
                                     ByteBudget::Share& share) {
  Request* request;
  {
    std::lock_guard lock(mutex_);
    if (free_.empty()) {
      request = makeRequest();
    } else {
      request = free_.back();
      free_.pop_back();
    }
  }
  request->protocol = &protocol;
  return prepare(request, ticket, share);
}

void RequestPool::refill() {
  std::lock_guard lock(mutex_);
  const auto taken = static_cast<std::ptrdiff_t>(std::min(free_.size(), kRefill));
  freeList_.assign(free_.end() - taken, free_.end());
  free_.erase(free_.end() - taken, free_.end());
  if (freeList_.empty()) freeList_.push_back(makeRequest());
}

// With the mutex held.
Request* RequestPool::makeRequest() {
  all_.push_back(std::make_unique<Request>());
  all_.back()->pool = this;
  all_.back()->channel = channel_.get();
  free_.reserve(all_.capacity());
  return all_.back().get();
}

Request* RequestPool::prepare(Request* request, uint32_t ticket, ByteBudget::Share& share) {
  request->ticket = ticket;
  request->share = &share;
  request->heldAnswerBytes = 0;
  request->rows = 0;
  request->envelope = {};
  request->queued.store(false, std::memory_order_relaxed);
  request->binaryAnswer = false;
  request->tag.clear();
  request->requestId.clear();
  request->processingNs = request->queueNs = request->batchNs = request->chargedNs = 0;
  request->outcome = Outcome::kAnswered;
  request->holders.store(1, std::memory_order_relaxed);
  request->done.store(false, std::memory_order_relaxed);
  return request;
}

void RequestPool::releaseAll(Requests& requests) {
  Request** const end = requests.data() + requests.size();
  for (Request** first = requests.data(); first != end;) {
    RequestPool* pool = (*first)->pool;
    Request** last = std::find_if(first, end, [&](const auto* each) { return each->pool != pool; });
    pool->release(first, last);
    first = last;
  }
  requests.clear();
}

void RequestPool::release(Request** first, Request** last) {
  // Destroyed last: each may hold the last reference to this pool or to a session.
  std::shared_ptr<RequestPool> self;
  std::vector<std::shared_ptr<Stream>> streams;
  Request** emptied =
      std::remove_if(first, last, [](auto* request) { return !dropHolder(*request); });
  if (first == emptied) return;
  // Requests of one user mostly come together.
  auto* share = (*first)->share;
  size_t bytes = 0;
  for (Request** each = first; each != emptied; ++each) {
    if ((*each)->share != share) {
      budget_->give(*share, std::exchange(bytes, 0));
      share = (*each)->share;
    }
    bytes += heldBytes(**each);
    if (auto stream = empty(**each)) streams.push_back(std::move(stream));
  }
  budget_->give(*share, bytes);
  std::lock_guard lock(mutex_);
  free_.insert(free_.end(), first, emptied);
  if (free_.size() == all_.size()) self = std::move(self_);
}

}  // namespace cloudeasyml::serving
