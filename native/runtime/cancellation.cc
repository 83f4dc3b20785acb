#include "runtime/cancellation.h"

namespace cloudeasyml::runtime {

void RunRegistry::add(CancellationToken& token) {
  std::lock_guard lock(mutex_);
  tokens_.insert(&token);
  if (exiting_) token.cancel();
}

void RunRegistry::remove(CancellationToken& token) noexcept {
  std::lock_guard lock(mutex_);
  tokens_.erase(&token);
}

void RunRegistry::stopThread(int threadId) noexcept {
  std::lock_guard lock(mutex_);
  for (CancellationToken* token : tokens_) {
    if (token->threadId() == threadId) token->cancel();
  }
}

void RunRegistry::stopAll() noexcept {
  std::lock_guard lock(mutex_);
  exiting_ = true;
  for (CancellationToken* token : tokens_) token->cancel();
}

}  // namespace cloudeasyml::runtime
