// One front end's requests, which are reused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "protocols/protocol.h"
#include "serving/byteBudget.h"
#include "serving/cacheLine.h"
#include "serving/channel.h"
#include "serving/request.h"

namespace cloudeasyml::serving {

/// Its lock is taken once for many requests, because a worker that is preempted while it holds it
/// stops all sockets.
class RequestPool : public std::enable_shared_from_this<RequestPool> {
 public:
  /// @param channel where its requests' completions go
  /// @param maxBytes how many body bytes may be held at once before requests are refused
  RequestPool(std::shared_ptr<Channel> channel, size_t maxBytes);

  Channel& channel() const noexcept { return *channel_; }

  // The front end's thread.

  /// A request with `ticket` and a copy of these bytes; null where too many bytes are held.
  /// Completions wake nothing until the next drain, which the caller must make.
  Request* open(uint32_t ticket, const void* bytes, size_t size);
  /// Copies bytes behind the request's body. @returns false where too many are held
  bool append(Request& request, const void* bytes, size_t size);
  /// The front end is gone. The pool lives until its last request is back.
  void close();

  // Any thread.

  /// An empty request for a completion of a stream.
  Request* openCompletion(uint32_t ticket, const protocols::Protocol& protocol);
  /// Releases one hold on a request; with the last one it returns to the pool.
  void release(Request* request) { release(&request, &request + 1); }
  /// The same for many requests of any pools, with fewer locks. Empties `requests`.
  static void releaseAll(std::vector<Request*>& requests);

 private:
  using Requests = std::vector<Request*>;

  void refill();
  void release(Request** first, Request** last);
  Request* makeRequest();
  static Request* prepare(Request* request, uint32_t ticket);

  const std::shared_ptr<Channel> channel_;

  // The front end's.

  ByteBudget budget_;
  /// Requests from the pool, for its thread alone.
  Requests freeList_;

  // The rest is guarded by the mutex.

  alignas(kCacheLine) std::mutex mutex_;
  std::vector<std::unique_ptr<Request>> all_;
  Requests free_;
  /// Set from close() until the last request is back.
  std::shared_ptr<RequestPool> self_;
};

}  // namespace cloudeasyml::serving
