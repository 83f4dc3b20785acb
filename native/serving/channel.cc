#include "serving/channel.h"

#include <utility>

#include "codec/jsonText.h"
#include "serving/stream.h"

namespace cloudeasyml::serving {

namespace {
// Buffers up to this size stay with a pooled request.
constexpr size_t kKeptBytes = 64 * 1024;
}  // namespace

Channel::Channel(std::function<void()> wake, size_t maxBytes)
    : wake_(std::move(wake)), maxBytes_(maxBytes) {}

Channel::~Channel() = default;

Request* Channel::open(uint32_t ticket, const void* bytes, size_t size) {
  Request* request;
  {
    std::lock_guard lock(mutex_);
    drainDue_ = true;
    if (bytes_ + size > maxBytes_) return nullptr;
    bytes_ += size;
    request = fromPool();
  }
  request->body.append(bytes, size);
  return prepare(request, ticket);
}

Request* Channel::openCompletion(uint32_t ticket) {
  Request* request;
  {
    std::lock_guard lock(mutex_);
    request = fromPool();
  }
  return prepare(request, ticket);
}

Request* Channel::fromPool() {
  if (free_.empty()) {
    all_.push_back(std::make_unique<Request>());
    free_.reserve(all_.capacity());
    return all_.back().get();
  }
  Request* request = free_.back();
  free_.pop_back();
  return request;
}

Request* Channel::prepare(Request* request, uint32_t ticket) {
  request->channel = shared_from_this();
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

bool Channel::append(Request& request, const void* bytes, size_t size) {
  {
    std::lock_guard lock(mutex_);
    if (bytes_ + size > maxBytes_) return false;
    bytes_ += size;
  }
  request.body.append(bytes, size);
  return true;
}

Channel::Remains Channel::empty(Request& request) {
  Remains remains{std::move(request.channel), std::move(request.deployment),
                  std::move(request.stream), request.body.size()};
  request.body.clear(kKeptBytes);
  if (request.answer.capacity() > kKeptBytes) std::string().swap(request.answer);
  request.answer.clear();
  return remains;
}

void Channel::release(Request* request) {
  if (request->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // They go last: each may be what keeps this channel or a session alive.
  const auto remains = empty(*request);
  std::lock_guard lock(mutex_);
  bytes_ -= remains.bytes;
  free_.push_back(request);
}

void Channel::release(const std::vector<Request*>& requests) {
  const auto alive = shared_from_this();
  size_t bytes = 0;
  std::vector<Request*> emptied;
  emptied.reserve(requests.size());
  for (auto* request : requests) {
    if (request->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
    bytes += empty(*request).bytes;
    emptied.push_back(request);
  }
  if (emptied.empty()) return;
  std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  free_.insert(free_.end(), emptied.begin(), emptied.end());
}

void Channel::complete(Request* request) {
  {
    std::lock_guard lock(mutex_);
    if (!closed_) {
      completed_.push_back(request);
      // Called under the lock, so that close() ends every use of it.
      if (completed_.size() == 1 && !drainDue_) wake_();
      return;
    }
  }
  release(request);
}

void Channel::fail(Request* request, const char* code, std::string_view detail,
                   std::string_view path) {
  if (request->claim()) completeFailed(request, code, detail, path);
}

void Channel::completeFailed(Request* request, const char* code, std::string_view detail,
                             std::string_view path) {
  request->outcome = Outcome::kFailed;
  codec::writeFailure(request->answer, code, detail, path);
  complete(request);
}

void Channel::drain(std::vector<Request*>& out) {
  std::lock_guard lock(mutex_);
  drainDue_ = false;
  if (out.empty()) {
    out.swap(completed_);
  } else {
    out.insert(out.end(), completed_.begin(), completed_.end());
    completed_.clear();
  }
}

void Channel::close() {
  std::vector<Request*> dropped;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(completed_);
    wake_ = nullptr;
  }
  for (auto* request : dropped) release(request);
}

}  // namespace cloudeasyml::serving
