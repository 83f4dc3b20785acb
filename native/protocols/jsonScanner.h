// Walking JSON text without parsing it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace cloudeasyml::protocols {

/// Finds its way through JSON by brackets and quotes alone, so what it skips is not checked:
/// the parser does that. Every step returns false where the text has another form, and
/// leaves the place undefined then.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  /// Passes over `expected` and the space before it.
  bool take(char expected) noexcept {
    space();
    if (at_ == end_ || *at_ != expected) return false;
    ++at_;
    return true;
  }

  /// The next character that is no space; 0 at the end.
  char peek() noexcept {
    space();
    return at_ == end_ ? '\0' : *at_;
  }

  /// Passes over the space that is left. @returns whether that was all
  bool atEnd() noexcept { return peek() == '\0' && at_ == end_; }

  /// Passes over a string. @param out set to what stands between its quotes, escapes as they are
  bool string(std::string_view& out) noexcept {
    if (!take('"')) return false;
    const char* start = at_;
    while (at_ < end_) {
      at_ = static_cast<const char*>(std::memchr(at_, '"', static_cast<size_t>(end_ - at_)));
      if (!at_) break;
      const char* slash = at_;
      while (slash > start && slash[-1] == '\\') --slash;
      if ((at_ - slash) % 2 == 0) {
        out = {start, static_cast<size_t>(at_ - start)};
        ++at_;
        return true;
      }
      ++at_;
    }
    at_ = end_;
    return false;
  }

  /// Passes over any value. @param out set to its text
  bool value(std::string_view& out) noexcept {
    space();
    const char* start = at_;
    if (!skipValue()) return false;
    const char* last = at_;
    while (last > start && isSpace(last[-1])) --last;
    out = {start, static_cast<size_t>(last - start)};
    return !out.empty();
  }

 private:
  static constexpr uint64_t kOnes = 0x0101010101010101ULL;
  static constexpr uint64_t kHighs = 0x8080808080808080ULL;

  static constexpr uint64_t bytesEqual(uint64_t word, unsigned char byte) noexcept {
    const uint64_t difference = word ^ (kOnes * byte);
    return (difference - kOnes) & ~difference & kHighs;
  }

  static constexpr bool isSpace(char byte) noexcept {
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
  }

  void space() noexcept {
    while (at_ < end_ && isSpace(*at_)) ++at_;
  }

  bool skipValue() noexcept {
    if (at_ == end_) return false;
    if (*at_ == '"') {
      std::string_view ignored;
      return string(ignored);
    }
    if (*at_ == '[' || *at_ == '{') return skipContainer();
    while (at_ < end_ && *at_ != ',' && *at_ != '}' && *at_ != ']') ++at_;
    return at_ < end_;
  }

  bool skipContainer() noexcept {
    size_t depth = 0;
    while (at_ < end_) {
      skipPlain();
      if (at_ == end_) return false;
      switch (*at_) {
        case '"': {
          std::string_view ignored;
          if (!string(ignored)) return false;
          break;
        }
        case '[':
        case '{':
          ++depth;
          ++at_;
          break;
        case ']':
        case '}':
          ++at_;
          if (--depth == 0) return true;
          break;
        default:
          ++at_;
      }
    }
    return false;
  }

  // Eight bytes at a time past numbers, commas and spaces. Setting bit 5 folds [ on { and ] on }.
  void skipPlain() noexcept {
    while (end_ - at_ >= 8) {
      uint64_t word;
      std::memcpy(&word, at_, sizeof word);
      const uint64_t folded = word | (kOnes * 0x20);
      if (bytesEqual(word, '"') | bytesEqual(folded, '{') | bytesEqual(folded, '}')) break;
      at_ += 8;
    }
    while (at_ < end_ && *at_ != '"' && (*at_ | 0x20) != '{' && (*at_ | 0x20) != '}') ++at_;
  }

  const char* at_;
  const char* end_;
};

}  // namespace cloudeasyml::protocols
