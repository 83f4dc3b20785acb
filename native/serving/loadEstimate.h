// How long a deployment's requests take, by measurement.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cloudeasyml::serving {

/// Moving averages of batch times, by size in powers of two. They rise slowly and fall fast,
/// because other load on the machine only makes batches slower. Written under the queue's lock,
/// read by any thread.
class LoadEstimate {
 public:
  /// A batch of so many requests, at least one, took `ns`.
  void ran(size_t requests, int64_t ns) noexcept;

  /// A worker's time per request. Without a measurement a request counts as much work.
  int64_t requestNs() const noexcept { return requestNs_.load(std::memory_order_relaxed); }
  /// The longest time per request of recent batches; it decays as others take less.
  int64_t slowestNs() const noexcept { return slowestNs_; }

  /// The time of a request alone in its batch; 0 without a measurement.
  int64_t loneNs() const noexcept { return batchNs_[0].load(std::memory_order_relaxed); }

  /// The time of a batch of so many requests; 0 without any measurement. A size that was not
  /// measured is assumed to take as long as the next smaller one that was, else the next larger
  /// one.
  int64_t batchNs(size_t requests) const noexcept;

  /// The expected time until a request submitted now is answered; 0 without a measurement.
  /// @param ahead requests that go before it
  /// @param perBatch requests per batch
  /// @param workers workers that host its deployment
  /// @param running batches that run now
  int64_t answerNs(size_t ahead, size_t perBatch, size_t workers, size_t running) const noexcept;

 private:
  std::atomic<int64_t> requestNs_{1'000'000};
  int64_t slowestNs_ = 1'000'000;
  /// By the base-2 logarithm of the number of requests, rounded up; 0 where none was measured.
  std::array<std::atomic<int64_t>, 16> batchNs_{};
};

}  // namespace cloudeasyml::serving
