// A stream: a request whose input and output are sequences.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/cancellation.h"
#include "runtime/failure.h"
#include "serving/deferred.h"
#include "serving/request.h"

namespace cloudeasyml::serving {

class StreamInbox;

/// One stream. It stays on one worker from its opening to its end.
///
/// Both directions are bounded. The front end pushes inputs, and must wait where the plugin does
/// not keep up. The worker emits outputs, and must wait where the client does not.
///
/// A stream ends once: by the plugin's return or error, its client, the timer or the loss of the
/// worker, whichever comes first. The worker is then told to stop, and releases the stream when the
/// plugin's code has ended.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  enum class Input { kTaken, kNone, kEnded };

  /// @param pool its front end's
  /// @param opening the request that opens it
  /// @param tag its id on a connection of many requests; empty where it has the connection to
  /// itself
  Stream(std::shared_ptr<RequestPool> pool, const Request& opening, std::string tag);
  ~Stream();

  const std::shared_ptr<RequestPool> pool;
  const uint32_t ticket;
  const protocols::Protocol& protocol;
  ByteBudget::Share& share;
  const std::string tag;
  /// What its client calls it in logs; empty where that is not known.
  const std::string requestId;

  bool hasBinaryAnswers() const noexcept { return protocol.hasBinaryAnswers(); }
  /// An empty request for one of its completions.
  Request* openCompletion();

  // Set once, when it is placed on a worker.
  std::shared_ptr<Deployment> deployment;
  std::shared_ptr<StreamInbox> inbox;
  /// Its number on its worker.
  uint32_t number = 0;
  std::function<std::shared_ptr<runtime::CancellationToken>()> makeToken;

  // The front end's side.

  /// Queues an input, with the caller's hold on it. @returns false where the caller should push no
  /// more until a completion of the kind kRoom
  bool push(Request* input);
  /// No input will follow.
  void endInput();
  /// Ends the stream for its client, who gets nothing more.
  void cancel();
  /// Sets whether the client has stopped reading. The plugin waits while it has.
  void holdReader(bool held);
  /// Whether cancel() was called. For the front end's thread.
  bool cancelled() const noexcept { return cancelled_; }
  /// Notes that a completion has left the channel.
  void fetched(const Request& completion);

  // The worker's side.

  /// Takes the next input, with the hold on it.
  Input take(Request*& input);
  /// Delivers an output. @returns false where the plugin should yield no more until Notice::kRoom
  /// or Notice::kStop
  bool emit(Request* output);
  /// Delivers the last completion.
  /// @param completion its outcome and answer set
  /// @returns false where the stream had ended already
  bool finish(Request* completion);
  /// The token of the stream's runs; cancelled once the stream has ended.
  std::shared_ptr<runtime::CancellationToken> token();

  // Any thread.

  /// Ends it with an error, unless it has ended, and tells the worker to stop.
  void fail(Failure failure);
  /// The deadline of the plugin's next step: asking for input, yielding an output, or ending.
  /// kNever while it waits for its client, and after the end.
  int64_t stepDueNs() const noexcept { return stepDueNs_.load(std::memory_order_relaxed); }
  /// How long a step may take.
  int64_t stepNs() const noexcept { return stepNs_; }
  /// Starts the time of the first step.
  /// @param timeoutNs the client's limit for a step; 0 for the deployment's
  void start(int64_t timeoutNs);

 private:
  void notify(uint32_t notices);

  // With the mutex held.

  void expectStep();
  void awaitClient();
  /// @returns notices for its worker
  uint32_t makeRoom();
  void askForInput(Deferred& deferred);
  /// @returns the inputs that were not taken
  std::deque<Request*> end();
  void stopRuns();

  mutable std::mutex mutex_;
  std::deque<Request*> inputs_;
  size_t inputBytes_ = 0;
  bool inputEnded_ = false;
  /// push() has told the front end to wait.
  bool writerHeld_ = false;
  /// The plugin waits for input.
  bool starving_ = false;
  /// Outputs that have not left the channel.
  uint32_t unread_ = 0;
  size_t unreadBytes_ = 0;
  bool readerHeld_ = false;
  /// The plugin waits for room.
  bool stalled_ = false;
  uint32_t emitted_ = 0;
  bool ended_ = false;
  /// Of the front end's thread alone.
  bool cancelled_ = false;
  std::shared_ptr<runtime::CancellationToken> token_;
  /// Set once, by start().
  int64_t stepNs_ = 0;
  std::atomic<int64_t> stepDueNs_;
};

}  // namespace cloudeasyml::serving
