// The way back from the workers to a thread that owns sockets.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "serving/request.h"

namespace cloudeasyml::serving {

/// Pools one front-end thread's requests and collects their completions. `wake` is called from any
/// thread when the first completion since the last drain arrives: one wake-up, however many follow;
/// and none while the front end is busy with requests, at whose end it drains anyway.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  /// @param maxBytes how many body bytes may be held at once before requests are refused
  Channel(std::function<void()> wake, size_t maxBytes);
  ~Channel();

  /// A request that carries `ticket` and a copy of these bytes; null where the channel would hold
  /// too many. Until the next drain, which the caller now owes, completions wake nobody.
  Request* open(uint32_t ticket, const void* bytes, size_t size);
  /// An empty request to complete without having been asked: what a stream has to say.
  Request* openCompletion(uint32_t ticket);
  /// Copies bytes behind the request's body. @returns false where the channel holds too many bytes.
  bool append(Request& request, const void* bytes, size_t size);
  /// Lets go of one hold on a request; the last one puts it back into the pool.
  void release(Request* request);
  /// The same for many of this channel's, which costs less than one after the other.
  void release(const std::vector<Request*>& requests);

  /// Delivers a request that the caller claimed and answered; the front end's hold passes to the
  /// queue of completions.
  void complete(Request* request);
  /// Claims the request and delivers a failure, unless it has ended already.
  void fail(Request* request, const char* code, std::string_view detail,
            std::string_view path = {});
  /// Delivers a failure of a request that the caller claimed.
  void completeFailed(Request* request, const char* code, std::string_view detail,
                      std::string_view path = {});

  /// Moves the completions that wait into `out`.
  void drain(std::vector<Request*>& out);

  /// After this, completions are dropped in silence: the front end is gone.
  void close();

 private:
  /// With the mutex held.
  Request* fromPool();
  Request* prepare(Request* request, uint32_t ticket);
  /// What a request that goes back into the pool keeps alive, and the bytes that it held.
  struct Remains {
    std::shared_ptr<Channel> channel;
    std::shared_ptr<Deployment> deployment;
    std::shared_ptr<Stream> stream;
    size_t bytes = 0;
  };
  static Remains empty(Request& request);

  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<std::unique_ptr<Request>> all_;
  std::vector<Request*> free_;
  std::vector<Request*> completed_;
  /// The front end is in a turn of its event loop at whose end it drains.
  bool drainDue_ = false;
  size_t bytes_ = 0;
  const size_t maxBytes_;
  bool closed_ = false;
};

}  // namespace cloudeasyml::serving
