// One prediction request on its way through the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "codec/paddedBuffer.h"
#include "generated/constants.h"
#include "serving/cacheLine.h"

namespace cloudeasyml::serving {

class Channel;
class Deployment;
class Stream;

/// A request's bytes, its place in the engine, and its answer. Requests are pooled by their
/// channel, so their buffers are reused. A stream's inputs and outputs travel as requests, too.
///
/// Two parties hold a request: the front end until it has seen the completion or cancelled, and the
/// queue or batch until it has let go. Whoever sets `done` first decides how the request ends, and
/// is alone in writing `answer`.
///
/// Its fields lie in the order in which the threads need them: what one writes for the other comes
/// over in as few cache lines as can be.
struct alignas(kCacheLine) Request {
  std::atomic<int> holders{0};
  std::atomic<bool> done{false};
  /// It waits in its deployment's queue. Guarded by the scheduler's mutex.
  bool queued = false;
  /// The body is a binary frame.
  bool binary = false;
  /// Its client wants a binary frame.
  bool wantsBinary = false;

  /// The next one in a RequestStack.
  Request* below = nullptr;
  int64_t arrivalNs = 0;
  int64_t deadlineNs = 0;
  codec::PaddedBuffer body;
  /// Valid while `queued`.
  Deployment* deployment = nullptr;

  uint32_t ticket = 0;
  /// Rows of `data`; 0 until a worker has read the body.
  uint32_t rows = 0;
  Outcome outcome = Outcome::kAnswered;
  /// The answer is a binary frame.
  bool binaryAnswer = false;
  /// An output's number in its stream.
  uint32_t seq = 0;
  /// The response body, or a failure as JSON: {"code", "detail", "path"?}.
  std::string answer;
  int64_t processingNs = 0;
  /// From its arrival until a worker took it.
  int64_t queueNs = 0;
  /// From then until its run began; 0 for plugins with code.
  int64_t batchNs = 0;

  /// Whose it is; it outlives its requests.
  Channel* channel = nullptr;
  /// Its id on its connection, as the client wrote it; empty where it has the connection to itself.
  std::string frameId;
  /// Whose output or end this is.
  std::shared_ptr<Stream> stream;

  /// True for the one caller that may write the answer and deliver it.
  bool claim() noexcept {
    return !done.load(std::memory_order_acquire) && !done.exchange(true, std::memory_order_acq_rel);
  }
};

}  // namespace cloudeasyml::serving
