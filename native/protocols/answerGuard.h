// Bounds of an answer while it is written.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "runtime/error.h"

namespace cloudeasyml::protocols {

/// Stops the writing of an answer that is too large, or that nobody waits for any more.
class AnswerGuard {
 public:
  /// @param ended set when the request has ended otherwise
  /// @param cancelled set when its run is cancelled
  AnswerGuard(size_t mostBytes, const std::atomic<bool>& ended,
              const std::atomic<bool>& cancelled) noexcept
      : mostBytes_(mostBytes), ended_(ended), cancelled_(cancelled) {}

  /// @throws Error answer_too_large where an answer of so many bytes is not allowed
  void requireFits(size_t bytes) const {
    if (bytes > mostBytes_) throw tooLarge(mostBytes_);
  }
  /// Whether outputs of so many bytes in memory may be too large as an answer. An element has a
  /// byte at least, and two as JSON.
  bool isDoubtful(size_t outputBytes) const noexcept { return outputBytes > mostBytes_ / 2; }
  /// @param bytes written so far
  /// @throws Error likewise; cancelled where nobody waits for the answer
  void check(size_t bytes) const {
    requireFits(bytes);
    if (ended_.load(std::memory_order_relaxed) || cancelled_.load(std::memory_order_relaxed)) {
      throw Error(ErrorCode::kCancelled, "Nobody waits for the answer any more.");
    }
  }

  /// The error for an answer above the limit.
  static Error tooLarge(size_t mostBytes) {
    return {ErrorCode::kAnswerTooLarge,
            "The answer would have more than " + std::to_string(mostBytes) +
                " bytes, the server's answerLimit. Ask for less at once."};
  }

 private:
  const size_t mostBytes_;
  const std::atomic<bool>& ended_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace cloudeasyml::protocols
