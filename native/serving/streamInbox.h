// Notices to a worker about its streams.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "serving/stream.h"

namespace cloudeasyml::serving {

/// Collects notices from any thread; the worker takes them all at once.
class StreamInbox {
 public:
  using Entry = std::pair<std::shared_ptr<Stream>, uint32_t>;

  /// @param wake wakes the worker; called without any lock held, when the first notice since the
  /// last take() arrives
  explicit StreamInbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  void post(std::shared_ptr<Stream> stream, uint32_t notices);
  bool empty() const;
  std::vector<Entry> take();
  /// When the oldest waiting notice was posted; kNever where none waits.
  int64_t waitingSinceNs() const;
  /// Drops notices from now on: the worker is gone.
  void close();

 private:
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  int64_t sinceNs_ = 0;
  bool closed_ = false;
};

}  // namespace cloudeasyml::serving
