#include "runtime/runPool.h"

#include <algorithm>
#include <utility>

namespace cloudeasyml::runtime {

RunPool::~RunPool() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void RunPool::submit(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(job));
  const size_t most = std::max(1u, std::thread::hardware_concurrency());
  if (queue_.size() > idle_ && threads_.size() < most) {
    try {
      threads_.emplace_back(&RunPool::work, this);
    } catch (...) {
      // Where no thread can be started, those that there are take it.
      if (threads_.empty()) {
        queue_.pop_back();
        throw;
      }
    }
  }
  wake_.notify_one();
}

void RunPool::waitIdle() {
  std::unique_lock lock(mutex_);
  allIdle_.wait(lock, [this] { return queue_.empty() && idle_ == threads_.size(); });
}

void RunPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    if (queue_.empty() && idle_ == threads_.size()) allIdle_.notify_all();
    wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    const auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace cloudeasyml::runtime
