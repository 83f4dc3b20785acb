// How many bytes of requests and answers the process may hold, in all and for each user.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "serving/cacheLine.h"

namespace cloudeasyml::serving {

/// One user may hold a quarter of what all may hold. Any thread takes and returns bytes, without a
/// lock.
///
/// A user's bytes count towards the whole in steps of 16 KiB, so that a small request changes its
/// user's count alone, not one that all threads share.
class ByteBudget {
 public:
  /// What one user holds.
  struct alignas(kCacheLine) Share {
    std::atomic<size_t> held{0};
  };

  enum class Result : uint8_t { kTaken, kUserFull, kServerFull };

  explicit ByteBudget(size_t most = size_t{512} << 20) noexcept : most_(most) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;
  ~ByteBudget();

  void setMost(size_t bytes) noexcept { most_.store(bytes, std::memory_order_relaxed); }

  /// @returns a user's share, which lives as long as the budget
  Share& shareOf(uint32_t user);

  Result take(Share& share, size_t bytes) noexcept;
  /// Takes bytes that are there already, whatever the bounds say.
  void add(Share& share, size_t bytes) noexcept;
  void give(Share& share, size_t bytes) noexcept;

  size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kStep = 16 * 1024;
  static constexpr uint32_t kSharesInAll = 4;
  static constexpr size_t kBlockSize = 256;
  static constexpr size_t kBlocks = 4096;

  static constexpr size_t steps(size_t bytes) noexcept { return (bytes + kStep - 1) / kStep; }
  size_t moveWhole(size_t before, size_t after) noexcept;

  std::atomic<size_t> most_;
  /// In whole steps of each user.
  alignas(kCacheLine) std::atomic<size_t> held_{0};
  /// Made when the first user of a block asks for a share.
  std::array<std::atomic<Share*>, kBlocks> blocks_{};
};

}  // namespace cloudeasyml::serving
