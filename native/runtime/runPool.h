// Threads for work that callers don't wait for: asynchronous runs, and returning memory after a
// load.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cloudeasyml::runtime {

/// As many threads as the machine has cores, started on demand. Not libuv's threads: models would
/// delay files and name lookups, and an environment that is torn down waits for its libuv work
/// before it can stop it.
class RunPool {
 public:
  RunPool() = default;
  RunPool(const RunPool&) = delete;
  RunPool& operator=(const RunPool&) = delete;
  /// Waits for what is queued.
  ~RunPool();

  void submit(std::function<void()> job);

  /// Waits until nothing is queued and nothing runs.
  void waitIdle();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable allIdle_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool closing_ = false;
};

}  // namespace cloudeasyml::runtime
