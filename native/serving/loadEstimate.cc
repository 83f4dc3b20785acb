#include "serving/loadEstimate.h"

#include <algorithm>

namespace cloudeasyml::serving {

namespace {

constexpr int64_t kRise = 8;
constexpr int64_t kFall = 2;
/// A request is refused where the estimate says that it would be late. Its wait may take longer
/// than that by one part in so many: averages lean to fast batches, and whoever waits for many of
/// them meets some slow ones. While requests wait, refusing one too many costs no work.
constexpr int64_t kMargin = 6;

size_t classOf(size_t requests, size_t classes) noexcept {
  size_t found = 0;
  while (found + 1 < classes && (size_t{1} << found) < requests) ++found;
  return found;
}

int64_t moved(int64_t average, int64_t ns) noexcept {
  return average + (ns - average) / (ns < average ? kFall : kRise);
}

}  // namespace

void LoadEstimate::ran(size_t requests, int64_t ns) noexcept {
  const int64_t mine = ns / static_cast<int64_t>(requests);
  const int64_t average = requestNs();
  requestNs_.store(average + (mine - average) / kRise, std::memory_order_relaxed);
  slowestNs_ = std::max(mine, slowestNs_ - slowestNs_ / 64);
  auto& batch = batchNs_[classOf(requests, batchNs_.size())];
  const int64_t before = batch.load(std::memory_order_relaxed);
  const int64_t measured = std::max<int64_t>(ns, 1);
  batch.store(before == 0 ? measured : moved(before, measured), std::memory_order_relaxed);
}

int64_t LoadEstimate::batchNs(size_t requests) const noexcept {
  const size_t wanted = classOf(requests, batchNs_.size());
  for (size_t each = wanted + 1; each-- > 0;) {
    const int64_t ns = batchNs_[each].load(std::memory_order_relaxed);
    if (ns > 0) return ns;
  }
  for (size_t each = wanted + 1; each < batchNs_.size(); ++each) {
    const int64_t ns = batchNs_[each].load(std::memory_order_relaxed);
    if (ns > 0) return ns;
  }
  return 0;
}

int64_t LoadEstimate::answerNs(size_t ahead, size_t perBatch, size_t workers,
                               size_t running) const noexcept {
  const size_t size = std::min(ahead + 1, perBatch);
  const int64_t batch = batchNs(size);
  if (batch == 0) return 0;
  const size_t batches = (ahead + perBatch) / perBatch;
  const auto rounds = static_cast<int64_t>((batches + workers - 1) / workers);
  // Running batches are half done on average.
  const int64_t remaining = running >= workers ? batchNs(perBatch) / 2 : 0;
  const int64_t ns = remaining + rounds * batch;
  return ns + ns / kMargin;
}

}  // namespace cloudeasyml::serving
