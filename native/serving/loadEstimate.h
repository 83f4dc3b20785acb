// What a deployment's requests take, as far as that was measured.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cloudeasyml::serving {

/// Moving averages of batches' times, by their size in powers of two. Times rise slowly and fall
/// fast: whatever else the machine does only makes batches slower. Written under the queue's lock,
/// read by any thread.
class LoadEstimate {
 public:
  /// A batch of so many requests, at least one, took `ns`.
  void ran(size_t requests, int64_t ns) noexcept;

  /// A worker's time per request. Until there is a measurement a request counts as much work.
  int64_t requestNs() const noexcept { return requestNs_.load(std::memory_order_relaxed); }
  /// The most that a batch took per request; it fades as others take less.
  int64_t slowestNs() const noexcept { return slowestNs_; }

  /// What a request alone in its batch takes; 0 where that was not measured.
  int64_t loneNs() const noexcept { return batchNs_[0].load(std::memory_order_relaxed); }

  /// What a batch of so many requests takes; 0 where nothing was measured. Of a size that was not,
  /// what smaller ones took: batching is taken to cost nothing until it was seen to.
  int64_t batchNs(size_t requests) const noexcept;

  /// Until a request that is handed in now would have its answer; 0 where nothing was measured.
  /// @param ahead requests that go before it
  /// @param perBatch how many requests a batch holds
  /// @param workers how many take its deployment's batches
  /// @param running batches that are being run
  int64_t answerNs(size_t ahead, size_t perBatch, size_t workers, size_t running) const noexcept;

 private:
  std::atomic<int64_t> requestNs_{1'000'000};
  int64_t slowestNs_ = 1'000'000;
  /// By the base-2 logarithm of the number of requests, rounded up; 0 where none was measured.
  std::array<std::atomic<int64_t>, 16> batchNs_{};
};

}  // namespace cloudeasyml::serving
