#include "serving/batchSizes.h"

#include <algorithm>

#include "serving/time.h"

namespace cloudeasyml::serving {

namespace {

// Batches of less work are not made smaller: the cost of handing them over would dominate.
constexpr int64_t kLeastBatchNs = 2 * kMillisecond;
// Measurements that a size needs before it is compared.
constexpr uint32_t kEnough = 3;
// A row may be slower than at the best size by 1/kTolerance.
constexpr int64_t kTolerance = 32;
constexpr uint32_t kProbeEvery = 64;

size_t classOf(size_t rows, size_t classes) {
  size_t found = 0;
  while (found + 1 < classes && (size_t{1} << found) < rows) ++found;
  return found;
}

}  // namespace

void BatchSizes::ran(size_t rows, int64_t ns) noexcept {
  auto& [batches, rowNs] = measured_[classOf(rows, measured_.size())];
  const int64_t mine = std::max<int64_t>(ns / static_cast<int64_t>(rows), 1);
  rowNs = batches == 0 ? mine : std::min(mine, rowNs + (mine - rowNs) / 8);
  ++batches;
}

size_t BatchSizes::next(size_t limit) noexcept {
  const size_t top = classOf(limit, measured_.size());
  const auto sizeOf = [&](size_t each) { return each < top ? size_t{1} << each : limit; };
  int64_t leastNs = kNever;
  for (size_t each = 0; each <= top; ++each) {
    if (measured_[each].batches > 0) leastNs = std::min(leastNs, measured_[each].rowNs);
  }
  // The first batch has one row and shows how much work that is.
  if (leastNs == kNever) return 1;
  size_t lowest = 0;
  while (static_cast<int64_t>(sizeOf(lowest)) * leastNs < kLeastBatchNs) {
    if (lowest++ == top) return limit;
  }
  const size_t chosen = best(lowest, top, leastNs);
  if (++asked_ % kProbeEvery != 0 || measured_[chosen].batches < kEnough) return sizeOf(chosen);
  // In turn: one size smaller, one larger, two larger.
  const size_t turn = asked_ / kProbeEvery % 3;
  return sizeOf(turn == 0 ? std::max(chosen, lowest + 1) - 1 : std::min(chosen + turn, top));
}

// The smallest size at which a row is about as fast as at any other. Sizes on the way there are
// measured first.
size_t BatchSizes::best(size_t lowest, size_t top, int64_t leastNs) const noexcept {
  size_t each = lowest;
  for (; each < top && measured_[each].batches >= kEnough; ++each) {
    if (measured_[each].rowNs > leastNs + leastNs / kTolerance) continue;
    return measured_[each + 1].batches < kEnough ? each + 1 : each;
  }
  return each;
}

}  // namespace cloudeasyml::serving
