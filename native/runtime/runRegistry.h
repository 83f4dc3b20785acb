// Every run that may have to be stopped from another thread.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <atomic>
#include <mutex>
#include <unordered_set>

namespace cloudeasyml::runtime {

/// Makes a run, or all runs of one thread, stoppable: ORT asks the options between two nodes of the
/// graph whether to go on. One flag serves any number of runs, one after the other.
class RunFlag {
 public:
  /// `threadId` is the Node.js thread that the runs belong to.
  explicit RunFlag(int threadId) : threadId_(threadId) {}
  RunFlag(const RunFlag&) = delete;
  RunFlag& operator=(const RunFlag&) = delete;

  int threadId() const noexcept { return threadId_; }
  const OrtRunOptions* options() const noexcept { return options_; }

  /// From any thread: what runs with this flag ends with an error, as does all that runs later.
  void stop() noexcept {
    stopped_ = true;
    Ort::Status ignored(Ort::GetApi().RunOptionsSetTerminate(options_));
  }
  bool stopped() const noexcept { return stopped_; }

 private:
  const int threadId_;
  std::atomic<bool> stopped_{false};
  Ort::RunOptions options_;
};

/// The process's flags.
class RunRegistry {
 public:
  void add(RunFlag& flag);
  void remove(RunFlag& flag) noexcept;

  /// Stops what runs on behalf of a Node.js thread that is on its way out.
  void stopThread(int threadId) noexcept;
  /// Stops what runs, and all that would run later: the process is exiting.
  void stopAll() noexcept;

 private:
  std::mutex mutex_;
  std::unordered_set<RunFlag*> flags_;
  bool exiting_ = false;
};

}  // namespace cloudeasyml::runtime
