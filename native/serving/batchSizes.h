// Which batch size a model gains from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cloudeasyml::serving {

/// Measures how long a row takes in batches of different sizes, and chooses the size.
///
/// Batching saves time where a model reads its weights once for many rows. Where each row is much
/// work, such as an image for a convolutional network on a CPU, it saves none: the first request
/// waits for the last, and activations take more memory. Sizes are doubled for as long as a row
/// gets faster, and halved when it no longer does.
///
/// Sizes are measured by powers of two. Guarded by the queue's lock.
class BatchSizes {
 public:
  /// A batch of `rows`, at least one, took `ns`.
  void ran(size_t rows, int64_t ns) noexcept;
  /// How many rows the next batch should hold at most, `limit` or fewer. Now and then it is not the
  /// best size, to measure the others again.
  size_t next(size_t limit) noexcept;

 private:
  struct Measured {
    uint32_t batches = 0;
    /// Time per row. It falls at once and rises slowly, because other load on the machine only
    /// makes batches slower.
    int64_t rowNs = 0;
  };

  size_t best(size_t lowest, size_t top, int64_t leastNs) const noexcept;

  /// By the base-2 logarithm of the size, rounded up. The last entry holds all larger sizes.
  std::array<Measured, 16> measured_{};
  uint32_t asked_ = 0;
};

}  // namespace cloudeasyml::serving
