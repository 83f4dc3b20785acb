// JSON text, eight bytes at a time: where strings and brackets end, whatever the text holds.
//
// A hostile body of 16 MiB may be all quotes, brackets or backslashes, and is looked through on the
// thread that serves all sockets. So no byte of it costs a branch. Words are little-endian; of a
// mask, a byte's highest bit counts.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cloudeasyml::protocols {

constexpr uint64_t kOnes = 0x0101010101010101ULL;
constexpr uint64_t kHighs = 0x8080808080808080ULL;
constexpr size_t kWordBytes = 8;

/// The next word; spaces stand for what is not there.
inline uint64_t loadWord(const char* at, const char* end) noexcept {
  uint64_t word = kOnes * ' ';
  const auto left = static_cast<size_t>(end - at);
  if (left >= kWordBytes) {
    std::memcpy(&word, at, kWordBytes);
  } else {
    std::memcpy(&word, at, left);
  }
  return word;
}

/// Not zero where some byte is the one asked for; which one it does not say.
constexpr uint64_t anyEqual(uint64_t word, char byte) noexcept {
  const uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(byte));
  return (difference - kOnes) & ~difference & kHighs;
}

/// The mask of the bytes that are the one asked for.
constexpr uint64_t bytesEqual(uint64_t word, char byte) noexcept {
  const uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(byte));
  return ~(((difference & ~kHighs) + ~kHighs) | difference) & kHighs;
}

/// Sets bit 5 of each byte, which makes { of [ and } of ].
constexpr uint64_t foldBrackets(uint64_t word) noexcept { return word | (kOnes * 0x20); }

/// The place of a mask's first byte.
inline size_t firstOf(uint64_t mask) noexcept {
  return static_cast<size_t>(__builtin_ctzll(mask)) / kWordBytes;
}

/// Follows backslashes from word to word.
class JsonEscapes {
 public:
  /// The next byte is escaped.
  bool pending() const noexcept { return pending_ != 0; }

  /// @returns the mask of the next word's bytes that a backslash escapes
  uint64_t take(uint64_t word) noexcept {
    const uint64_t backslashes = bytesEqual(word, '\\');
    if ((backslashes | pending_) == 0) return 0;
    const auto bits = static_cast<size_t>(((backslashes >> 7) * 0x0102040810204080ULL) >> 56);
    const uint64_t escaped = kEscaped[bits & ~pending_] | pending_;
    pending_ = escaped >> kWordBytes;
    const uint64_t spread = ((escaped & 0xFF) * kOnes) & 0x8040201008040201ULL;
    return (spread + ~kHighs) & kHighs;
  }

 private:
  /// By the bits of a word's backslashes: those of the bytes that they escape, and of the next
  /// word's first.
  static constexpr std::array<uint16_t, 256> kEscaped = [] {
    std::array<uint16_t, 256> all{};
    for (unsigned bits = 0; bits < all.size(); ++bits) {
      unsigned escaped = 0;
      for (unsigned i = 0; i < kWordBytes; ++i) {
        const bool isBackslash = (bits >> i & 1) != 0;
        if (isBackslash && (escaped >> i & 1) == 0) escaped |= 2U << i;
      }
      all[bits] = static_cast<uint16_t>(escaped);
    }
    return all;
  }();

  size_t pending_ = 0;
};

/// Follows brackets from word to word. Those of strings do not count, and one kind closes the
/// other.
class JsonDepth {
 public:
  /// Goes from an opening bracket to behind the one that closes it.
  /// @returns false where there is none; `at` is the end then
  bool close(const char*& at, const char* end) noexcept {
    while (at < end) {
      const uint64_t word = loadWord(at, end);
      const size_t place = isPlain(word) ? kWordBytes : take(word);
      if (place < kWordBytes) {
        at += place + 1;
        return true;
      }
      at += std::min(kWordBytes, static_cast<size_t>(end - at));
    }
    return false;
  }

 private:
  /// More levels than a word can close.
  static constexpr uint64_t kDeep = 64;

  bool isPlain(uint64_t word) const noexcept {
    if (anyEqual(word, '"') | anyEqual(word, '\\')) return false;
    if (inString_ != 0) return !escapes_.pending();
    const uint64_t folded = foldBrackets(word);
    return (anyEqual(folded, '{') | anyEqual(folded, '}')) == 0;
  }

  // Multiplied by kOnes, a byte becomes the sum of itself and those before it.
  // @returns the place of the bracket that closes the first, or kWordBytes
  size_t take(uint64_t word) noexcept {
    const uint64_t quotes = bytesEqual(word, '"') & ~escapes_.take(word);
    const uint64_t toggles = ((quotes >> 7) + inString_) * kOnes;
    inString_ = toggles >> 56 & 1;
    const uint64_t outside = ~(toggles << 7) & kHighs;
    const uint64_t folded = foldBrackets(word);
    const uint64_t opened = ((bytesEqual(folded, '{') & outside) >> 7) * kOnes;
    const uint64_t closed = ((bytesEqual(folded, '}') & outside) >> 7) * kOnes;
    const uint64_t before = depth_ < kDeep ? depth_ : kDeep;
    const uint64_t levels = before * kOnes + opened - closed;
    const uint64_t closing = (levels - kOnes) & ~levels & kHighs;
    if (closing != 0) return firstOf(closing);
    depth_ += (opened >> 56) - (closed >> 56);
    return kWordBytes;
  }

  JsonEscapes escapes_;
  uint64_t inString_ = 0;
  uint64_t depth_ = 0;
};

}  // namespace cloudeasyml::protocols
