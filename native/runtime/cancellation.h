// Stopping runs from another thread.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <atomic>
#include <mutex>
#include <unordered_set>

namespace cloudeasyml::runtime {

/// Makes a run, or all runs of one thread, stoppable: ORT asks the options between two nodes of the
/// graph whether to go on. One token serves any number of runs, one after the other.
class CancellationToken {
 public:
  /// `threadId` is the Node.js thread that the runs belong to.
  explicit CancellationToken(int threadId) : threadId_(threadId) {}
  CancellationToken(const CancellationToken&) = delete;
  CancellationToken& operator=(const CancellationToken&) = delete;

  int threadId() const noexcept { return threadId_; }
  const OrtRunOptions* options() const noexcept { return options_; }

  /// From any thread: what runs with this token ends with an error, as does all that runs later.
  void cancel() noexcept {
    cancelled_ = true;
    Ort::Status ignored(Ort::GetApi().RunOptionsSetTerminate(options_));
  }
  bool cancelled() const noexcept { return cancelled_; }
  /// Set by cancel(), for code that knows nothing of runs.
  const std::atomic<bool>& flag() const noexcept { return cancelled_; }

 private:
  const int threadId_;
  std::atomic<bool> cancelled_{false};
  Ort::RunOptions options_;
};

/// The cancellation tokens of the process.
class RunRegistry {
 public:
  void add(CancellationToken& token);
  void remove(CancellationToken& token) noexcept;

  /// Stops the runs of a Node.js thread that is about to end, now and from now on.
  void stopThread(int threadId) noexcept;
  /// Stops all runs, now and from now on: the process is exiting.
  void stopAll() noexcept;

 private:
  std::mutex mutex_;
  std::unordered_set<CancellationToken*> tokens_;
  bool exiting_ = false;
};

}  // namespace cloudeasyml::runtime
