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
  /// @param budget of the bytes that all pools hold
  RequestPool(std::shared_ptr<Channel> channel, std::shared_ptr<ByteBudget> budget);

  Channel& channel() const noexcept { return *channel_; }
  ByteBudget& budget() const noexcept { return *budget_; }

  // The front end's thread.

  /// Sets `request` to one with `ticket` and a copy of these bytes, unless too many are held.
  /// Completions wake nothing until the next drain, which the caller must make.
  /// @param user whose bytes they are
  ByteBudget::Result open(uint32_t ticket, uint32_t user, const void* bytes, size_t size,
                          Request*& request);
  /// Copies bytes behind the request's body, unless too many are held.
  ByteBudget::Result append(Request& request, const void* bytes, size_t size);
  /// The front end is gone. The pool lives until its last request is back.
  void close();

  // Any thread.

  /// An empty request for a completion of a stream.
  /// @param share of the stream's user
  Request* openCompletion(uint32_t ticket, const protocols::Protocol& protocol,
                          ByteBudget::Share& share);
  /// Takes the bytes of a request's answer where it is large, until the request is released.
  static ByteBudget::Result holdAnswer(Request& request) noexcept;
  /// Releases one hold on a request; with the last one it returns to the pool.
  void release(Request* request) { release(&request, &request + 1); }
  /// The same for many requests of any pools, with fewer locks. Empties `requests`.
  static void releaseAll(std::vector<Request*>& requests);

 private:
  using Requests = std::vector<Request*>;

  void refill();
  void release(Request** first, Request** last);
  Request* makeRequest();
  static Request* prepare(Request* request, uint32_t ticket, ByteBudget::Share& share);

  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<ByteBudget> budget_;

  // The front end's.

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
