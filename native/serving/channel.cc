#include "serving/channel.h"

#include <algorithm>
#include <utility>

#include "codec/jsonText.h"
#include "serving/stream.h"

namespace cloudeasyml::serving {

namespace {

// Buffers up to this size stay with a pooled request.
constexpr size_t kKeptBytes = 64 * 1024;
// What the front end takes from the pool at once. More would leave nothing to streams, which would
// make ever more requests.
constexpr size_t kRefill = 64;

// Of a body that is not there yet.
constexpr size_t kPrefetchedBytes = 3 * kCacheLine;

void prefetchToWrite(const void* memory, size_t size) {
  for (size_t at = 0; at < size; at += kCacheLine) {
    __builtin_prefetch(static_cast<const char*>(memory) + at, 1);
  }
}

/// Empties a request that nobody holds. @returns what it kept alive
std::shared_ptr<Stream> empty(Request& request) {
  request.body.clear(kKeptBytes);
  if (request.answer.capacity() > kKeptBytes) std::string().swap(request.answer);
  request.answer.clear();
  return std::move(request.stream);
}

bool dropHolder(Request& request) {
  return request.holders.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace

Channel::Channel(std::function<void()> wake, size_t maxBytes)
    : maxBytes_(maxBytes), wake_(std::move(wake)) {}

Channel::~Channel() = default;

Request* Channel::open(uint32_t ticket, const void* bytes, size_t size) {
  drainDue_.store(true, std::memory_order_relaxed);
  if (!reserve(size)) return nullptr;
  if (freeList_.empty()) refill();
  Request* request = freeList_.back();
  freeList_.pop_back();
  // A worker wrote them last. The first locked instruction would wait until they are this core's.
  const size_t left = freeList_.size();
  if (left > 1) prefetchToWrite(freeList_[left - 2], sizeof(Request));
  if (left > 0) prefetchToWrite(freeList_[left - 1]->body.view().data(), kPrefetchedBytes);
  request->body.append(bytes, size);
  return prepare(request, ticket);
}

Request* Channel::openCompletion(uint32_t ticket) {
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
  return prepare(request, ticket);
}

bool Channel::append(Request& request, const void* bytes, size_t size) {
  if (!reserve(size)) return false;
  request.body.append(bytes, size);
  return true;
}

bool Channel::reserve(size_t size) {
  if (heldBytes_ + size > maxBytes_) {
    std::lock_guard lock(mutex_);
    recount();
  }
  if (heldBytes_ + size > maxBytes_) return false;
  heldBytes_ += size;
  return true;
}

void Channel::refill() {
  std::lock_guard lock(mutex_);
  recount();
  const auto taken = static_cast<std::ptrdiff_t>(std::min(free_.size(), kRefill));
  freeList_.assign(free_.end() - taken, free_.end());
  free_.erase(free_.end() - taken, free_.end());
  if (freeList_.empty()) freeList_.push_back(makeRequest());
}

// With the mutex held.
void Channel::recount() { heldBytes_ -= std::exchange(returnedBytes_, 0); }

// With the mutex held.
Request* Channel::makeRequest() {
  all_.push_back(std::make_unique<Request>());
  all_.back()->channel = this;
  free_.reserve(all_.capacity());
  return all_.back().get();
}

Request* Channel::prepare(Request* request, uint32_t ticket) {
  request->ticket = ticket;
  request->rows = 0;
  request->queued = false;
  request->binary = request->wantsBinary = request->binaryAnswer = false;
  request->frameId.clear();
  request->processingNs = request->queueNs = request->batchNs = 0;
  request->outcome = Outcome::kAnswered;
  request->holders.store(1, std::memory_order_relaxed);
  request->done.store(false, std::memory_order_relaxed);
  return request;
}

void Channel::release(Request* request) { release(&request, &request + 1); }

void Channel::releaseAll(Requests& requests) {
  Request** const end = requests.data() + requests.size();
  for (Request** first = requests.data(); first != end;) {
    Channel* channel = (*first)->channel;
    Request** last =
        std::find_if(first, end, [&](const auto* each) { return each->channel != channel; });
    channel->release(first, last);
    first = last;
  }
  requests.clear();
}

void Channel::release(Request** first, Request** last) {
  // These go last: each may be what keeps this channel or a session alive.
  std::shared_ptr<Channel> self;
  std::vector<std::shared_ptr<Stream>> streams;
  size_t bytes = 0;
  Request** emptied =
      std::remove_if(first, last, [](auto* request) { return !dropHolder(*request); });
  for (Request** each = first; each != emptied; ++each) {
    bytes += (*each)->body.size();
    if (auto stream = empty(**each)) streams.push_back(std::move(stream));
  }
  if (first == emptied) return;
  std::lock_guard lock(mutex_);
  returnedBytes_ += bytes;
  free_.insert(free_.end(), first, emptied);
  if (free_.size() == all_.size()) self = std::move(self_);
}

void Channel::complete(Request* request) {
  const bool first = completed_.push(request);
  if (closed_) {
    dropCompleted();
  } else if (first && !drainDue_) {
    std::lock_guard lock(mutex_);
    if (wake_) wake_();
  }
}

void Channel::fail(Request* request, ErrorCode code, std::string_view detail,
                   std::string_view path) {
  if (request->claim()) completeFailed(request, code, detail, path);
}

void Channel::completeFailed(Request* request, ErrorCode code, std::string_view detail,
                             std::string_view path) {
  request->outcome = Outcome::kFailed;
  codec::writeFailure(request->answer, code, detail, path);
  complete(request);
}

void Channel::drain(std::vector<Request*>& out) {
  // Before it takes them: who completes one later wakes it.
  drainDue_ = false;
  completed_.takeAll([&](Request* request) { out.push_back(request); });
}

void Channel::close() {
  {
    std::lock_guard lock(mutex_);
    wake_ = nullptr;
    free_.insert(free_.end(), freeList_.begin(), freeList_.end());
    freeList_.clear();
    if (free_.size() < all_.size()) self_ = shared_from_this();
  }
  closed_ = true;
  dropCompleted();
}

void Channel::dropCompleted() {
  Requests dropped;
  completed_.takeAll([&](Request* request) { dropped.push_back(request); });
  releaseAll(dropped);
}

}  // namespace cloudeasyml::serving
