// Threads for work that its callers don't wait for: runs, and what follows a load.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cloudeasyml::runtime {

/// As many threads as the machine has cores, started as they are needed. Not libuv's: models would
/// keep files and name lookups waiting, and an environment that goes waits for its libuv work
/// before it lets anybody stop it.
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
