#include "serving/streamInbox.h"

#include <utility>

namespace cloudeasyml::serving {

void StreamInbox::post(Entry entry) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    entries_.push_back(std::move(entry));
    if (entries_.size() > 1) return;
  }
  wake_();
}

bool StreamInbox::empty() const {
  std::lock_guard lock(mutex_);
  return entries_.empty();
}

std::vector<StreamInbox::Entry> StreamInbox::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(entries_, {});
}

void StreamInbox::close() {
  std::vector<Entry> dropped;
  std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(entries_);
}

}  // namespace cloudeasyml::serving
