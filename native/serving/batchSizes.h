// Up to which size a model's batches pay.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cloudeasyml::serving {

/// Learns what a row takes in batches of different sizes, and from that how large they should be.
///
/// A batch spares time where a model reads its weights once for many rows. Where each row is much
/// work, as an image is for a convolutional network on a CPU, it spares none: then its first
/// request waits for its last, and what the layers hand on takes as many times the memory. So sizes
/// are doubled for as long as a row takes less time with it, and go back when that is no longer so.
///
/// Sizes are told apart by powers of two. Guarded by the scheduler's mutex.
class BatchSizes {
 public:
  /// A batch of `rows`, at least one, took `ns`.
  void ran(size_t rows, int64_t ns) noexcept;
  /// How many rows the next batch should hold at most, `limit` or fewer. Now and then it is another
  /// size than the best, to see whether what was learned still holds.
  size_t next(size_t limit) noexcept;

 private:
  struct Measured {
    uint32_t batches = 0;
    /// What a row takes. Falls at once and rises slowly: whatever else the machine does only makes
    /// batches slower.
    int64_t rowNs = 0;
  };

  size_t best(size_t lowest, size_t top, int64_t leastNs) const noexcept;

  /// By the base-2 logarithm of the size, rounded up. Beyond the last one's size all are one.
  std::array<Measured, 16> measured_{};
  uint32_t asked_ = 0;
};

}  // namespace cloudeasyml::serving
