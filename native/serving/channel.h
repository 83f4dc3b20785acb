// The way back from the workers to a thread that owns sockets.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "serving/cacheLine.h"
#include "serving/request.h"
#include "serving/requestStack.h"

namespace cloudeasyml::serving {

/// Pools one front-end thread's requests and collects their completions. `wake` is called from any
/// thread when the first completion since the last drain arrives: one wake-up, however many follow;
/// and none while the front end is busy with requests, at whose end it drains anyway.
///
/// Completions pass without a lock. The pool has one, which the front end takes for many requests
/// at once: a worker that loses its core while it holds a lock would stop all sockets.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  /// @param maxBytes how many body bytes may be held at once before requests are refused
  Channel(std::function<void()> wake, size_t maxBytes);
  ~Channel();

  // The front end's thread.

  /// A request that carries `ticket` and a copy of these bytes; null where the channel would hold
  /// too many. Until the next drain, which the caller now owes, completions wake nobody.
  Request* open(uint32_t ticket, const void* bytes, size_t size);
  /// Copies bytes behind the request's body. @returns false where the channel holds too many bytes.
  bool append(Request& request, const void* bytes, size_t size);
  /// Moves the completions that wait into `out`.
  void drain(std::vector<Request*>& out);
  /// After this, completions are dropped in silence: the front end is gone. The channel lives until
  /// its last request is back.
  void close();

  // Any thread.

  /// An empty request to complete without having been asked: what a stream has to say.
  Request* openCompletion(uint32_t ticket);
  /// Lets go of one hold on a request; the last one puts it back into the pool.
  void release(Request* request);
  /// The same for many, of any channels, which costs less than one after the other. Empties
  /// `requests`.
  static void releaseAll(std::vector<Request*>& requests);

  /// Delivers a request that the caller claimed and answered; the front end's hold passes to the
  /// queue of completions.
  void complete(Request* request);
  /// Claims the request and delivers a failure, unless it has ended already.
  void fail(Request* request, ErrorCode code, std::string_view detail, std::string_view path = {});
  /// Delivers a failure of a request that the caller claimed.
  void completeFailed(Request* request, ErrorCode code, std::string_view detail,
                      std::string_view path = {});

 private:
  using Requests = std::vector<Request*>;

  bool reserve(size_t size);
  void refill();
  void recount();
  void release(Request** first, Request** last);
  Request* makeRequest();
  static Request* prepare(Request* request, uint32_t ticket);
  void dropCompleted();

  RequestStack completed_;
  /// The front end is in a turn of its event loop at whose end it drains.
  alignas(kCacheLine) std::atomic<bool> drainDue_{false};
  std::atomic<bool> closed_{false};

  // The front end's.

  /// Requests from the pool, for its thread alone.
  Requests freeList_;
  /// Bytes that requests hold, some of which may be in `returnedBytes_`.
  size_t heldBytes_ = 0;
  const size_t maxBytes_;

  // The rest is guarded by the mutex.

  alignas(kCacheLine) std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<std::unique_ptr<Request>> all_;
  Requests free_;
  /// Bytes that requests held which came back.
  size_t returnedBytes_ = 0;
  /// Once it is closed and while requests are out.
  std::shared_ptr<Channel> self_;
};

}  // namespace cloudeasyml::serving
