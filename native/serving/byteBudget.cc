#include "serving/byteBudget.h"

#include <memory>

namespace cloudeasyml::serving {

ByteBudget::~ByteBudget() {
  for (auto& block : blocks_) delete[] block.load(std::memory_order_relaxed);
}

ByteBudget::Share& ByteBudget::shareOf(uint32_t user) {
  // Beyond a million users, some have a share together.
  auto& place = blocks_[user / kBlockSize % kBlocks];
  Share* block = place.load(std::memory_order_acquire);
  if (!block) {
    auto made = std::make_unique<Share[]>(kBlockSize);
    if (place.compare_exchange_strong(block, made.get(), std::memory_order_acq_rel)) {
      block = made.release();
    }
  }
  return block[user % kBlockSize];
}

ByteBudget::Result ByteBudget::take(Share& share, size_t bytes) noexcept {
  const size_t most = most_.load(std::memory_order_relaxed);
  const size_t before = share.held.fetch_add(bytes, std::memory_order_relaxed);
  const size_t held = moveWhole(before, before + bytes);
  const bool fitsUser = before + bytes <= most / kSharesInAll;
  if (fitsUser && held <= most) return Result::kTaken;
  give(share, bytes);
  return fitsUser ? Result::kServerFull : Result::kUserFull;
}

void ByteBudget::add(Share& share, size_t bytes) noexcept {
  const size_t before = share.held.fetch_add(bytes, std::memory_order_relaxed);
  moveWhole(before, before + bytes);
}

void ByteBudget::give(Share& share, size_t bytes) noexcept {
  const size_t before = share.held.fetch_sub(bytes, std::memory_order_relaxed);
  moveWhole(before, before - bytes);
}

// Every change of a share moves the whole by the steps between its two values, so their sum is
// right whatever the order of the changes.
// @returns what is held where the steps changed, else 0
size_t ByteBudget::moveWhole(size_t before, size_t after) noexcept {
  const size_t moved = (steps(after) - steps(before)) * kStep;
  return moved == 0 ? 0 : held_.fetch_add(moved, std::memory_order_relaxed) + moved;
}

}  // namespace cloudeasyml::serving
