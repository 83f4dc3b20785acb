// Notices to a worker about its streams and batches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "serving/stream.h"

namespace cloudeasyml::serving {

/// Collects notices from any thread; the worker takes them all at once.
class StreamInbox {
 public:
  struct Entry {
    /// Null for a batch's.
    std::shared_ptr<Stream> stream;
    /// The stream's or the batch's.
    uint32_t number = 0;
    /// Its deployment's.
    uint32_t handle = 0;
    uint32_t notices = 0;
  };

  /// @param wake wakes the worker; called without any lock held, when the first notice since the
  /// last take() arrives
  explicit StreamInbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  void post(Entry entry);
  bool empty() const;
  std::vector<Entry> take();
  /// Drops notices from now on: the worker is gone.
  void close();

 private:
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  bool closed_ = false;
};

}  // namespace cloudeasyml::serving
