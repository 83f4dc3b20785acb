// A request whose input and output are sequences: what lies between its client and its plugin.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/cancellation.h"
#include "serving/request.h"

namespace cloudeasyml::serving {

class StreamInbox;

/// One stream. It stays on one worker from its opening to its end.
///
/// Both directions are bounded. Its front end pushes inputs and is told to wait where the plugin
/// does not keep up; its worker emits outputs and is told to wait where the client does not. It has
/// one end, whoever makes it first: the plugin's code that returned or threw, the client that went,
/// the timer, or the worker's loss. After it the worker learns that it should stop, and lets
/// go of the stream when the plugin's code has.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  enum class Input { kTaken, kNone, kEnded };

  /// @param frameId its id on its connection, as the client wrote it; empty where it has the
  /// connection to itself
  /// @param binary whether its client wants binary frames
  Stream(std::shared_ptr<Channel> channel, uint32_t ticket, std::string frameId, bool binary);
  ~Stream();

  const std::shared_ptr<Channel> channel;
  const uint32_t ticket;
  const std::string frameId;
  const bool binary;

  // Set once, when a worker is found for it.
  std::shared_ptr<Deployment> deployment;
  std::shared_ptr<StreamInbox> inbox;
  /// The worker's name for it.
  uint32_t number = 0;
  std::function<std::shared_ptr<runtime::CancellationToken>()> makeToken;

  // The front end's side.

  /// Hands in an input, and the request's hold with it. @returns false where it should send no more
  /// until a completion of the kind kRoom comes
  bool push(Request* input);
  /// No input will follow.
  void endInput();
  /// The client has gone, or wants no more: nothing more is delivered.
  void cancel();
  /// Whether the client has stopped reading: the plugin is made to wait then.
  void holdReader(bool held);
  /// Whether the front end called cancel(). For its own thread.
  bool cancelled() const noexcept { return cancelled_; }
  /// A completion has left the channel.
  void fetched(const Request& completion);

  // The worker's side.

  /// The next input, whose hold passes to the caller.
  Input take(Request*& input);
  /// Delivers an output. @returns false where the plugin should make no more until Notice::kRoom or
  /// kStop
  bool emit(Request* output);
  /// Delivers the last completion.
  /// @param completion its outcome and answer set
  /// @returns false where the stream had ended already
  bool finish(Request* completion);
  /// What the stream's runs go on under; stopped once the stream has ended.
  std::shared_ptr<runtime::CancellationToken> token();

  // Anybody's.

  /// Ends it with an error, unless it has ended, and has the worker stop.
  void fail(ErrorCode code, std::string_view detail);
  /// When the plugin must have asked for input, given an output or ended; kNever while it waits for
  /// its client, and after the end.
  int64_t stepDueNs() const noexcept { return stepDueNs_.load(std::memory_order_relaxed); }
  /// From now on the plugin owes a step.
  void start();

 private:
  void tell(uint32_t notices);

  // With the mutex held.

  void expectStep();
  void awaitClient();
  /// @returns what its worker should be told
  uint32_t makeRoom();
  void askForInput();
  /// @returns the inputs that nobody will take
  std::deque<Request*> end();
  void stopRuns();

  mutable std::mutex mutex_;
  std::deque<Request*> inputs_;
  size_t inputBytes_ = 0;
  bool inputEnded_ = false;
  /// Its client was told to send no more for now.
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
  std::atomic<int64_t> stepDueNs_;
};

}  // namespace cloudeasyml::serving
