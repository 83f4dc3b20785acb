#include "runtime/runRegistry.h"

namespace cloudeasyml::runtime {

void RunRegistry::add(RunFlag& flag) {
  std::lock_guard lock(mutex_);
  flags_.insert(&flag);
  if (exiting_) flag.stop();
}

void RunRegistry::remove(RunFlag& flag) noexcept {
  std::lock_guard lock(mutex_);
  flags_.erase(&flag);
}

void RunRegistry::stopThread(int threadId) noexcept {
  std::lock_guard lock(mutex_);
  for (RunFlag* flag : flags_) {
    if (flag->threadId() == threadId) flag->stop();
  }
}

void RunRegistry::stopAll() noexcept {
  std::lock_guard lock(mutex_);
  exiting_ = true;
  for (RunFlag* flag : flags_) flag->stop();
}

}  // namespace cloudeasyml::runtime
