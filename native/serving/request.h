// One prediction request on its way through the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "generated/constants.h"
#include "protocols/envelope.h"
#include "protocols/paddedBuffer.h"
#include "protocols/protocol.h"
#include "runtime/failure.h"
#include "serving/byteBudget.h"
#include "serving/cacheLine.h"

namespace cloudeasyml::serving {

class Channel;
class Deployment;
class RequestPool;
class Stream;

/// A request's bytes, its place in the engine, and its answer. Requests are pooled, so their
/// buffers are reused. A stream's inputs and outputs travel as requests, too.
///
/// Two parties hold a request: the front end until it has seen the completion or cancelled, and the
/// queue or batch until it has released it. The first to set `done` ends the request, and only it
/// writes `answer` or `failure`.
///
/// Fields are in the order in which threads need them, so that few cache lines move between cores.
struct alignas(kCacheLine) Request {
  std::atomic<int> holders{0};
  std::atomic<bool> done{false};
  /// It waits in its deployment's queue. Written under the queue's lock.
  std::atomic<bool> queued{false};
  protocols::Envelope envelope;

  /// The next one in a RequestStack.
  Request* below = nullptr;
  int64_t arrivalNs = 0;
  int64_t deadlineNs = 0;
  protocols::PaddedBuffer body;
  /// Reads its body and writes its answer.
  const protocols::Protocol* protocol = nullptr;

  /// Valid while `queued`, and only under the directory's lock.
  Deployment* deployment = nullptr;
  uint32_t ticket = 0;
  /// Rows of its data; 0 until a worker has read the body.
  uint32_t rows = 0;
  Outcome outcome = Outcome::kAnswered;
  /// The answer is bytes rather than text.
  bool binaryAnswer = false;
  /// An output's number in its stream.
  uint32_t seq = 0;
  /// The response's body.
  std::string answer;
  int64_t processingNs = 0;
  /// From its arrival until a worker took it.
  int64_t queueNs = 0;
  /// From then until its run began; 0 for plugins with code.
  int64_t batchNs = 0;
  /// Its share, by rows, of what its batch took.
  int64_t chargedNs = 0;

  /// The pool and channel of its front end; both outlive it.
  RequestPool* pool = nullptr;
  Channel* channel = nullptr;
  /// What its user holds, its bytes among that.
  ByteBudget::Share* share = nullptr;
  /// Bytes of the answer that are counted there; 0 for a small one.
  size_t heldAnswerBytes = 0;
  /// Its id on a connection of many requests, as JSON text; empty where it has the connection to
  /// itself.
  std::string tag;
  /// What its client calls it in logs; empty where that is not known.
  std::string requestId;
  /// Why it failed.
  std::unique_ptr<Failure> failure;
  /// The stream that this is an output or the end of.
  std::shared_ptr<Stream> stream;

  /// Says why it failed; for whoever claimed it.
  void setFailure(Failure why) {
    outcome = Outcome::kFailed;
    failure = std::make_unique<Failure>(std::move(why));
  }

  bool hasEnded() const noexcept { return done.load(std::memory_order_acquire); }
  /// True for the one caller that may answer it.
  bool claim() noexcept { return !hasEnded() && !done.exchange(true, std::memory_order_acq_rel); }
};

}  // namespace cloudeasyml::serving
