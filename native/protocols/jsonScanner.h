// Walking JSON text without parsing it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocols/jsonWords.h"

namespace cloudeasyml::protocols {

/// Members that a request may have at its top level. Each costs as much as many bytes of a value.
constexpr size_t kMostMembers = 1024;

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
    if (!closeString()) return false;
    out = {start, static_cast<size_t>(at_ - start - 1)};
    return true;
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
  static constexpr bool isSpace(char byte) noexcept {
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
  }

  void space() noexcept {
    while (at_ < end_ && isSpace(*at_)) at_ += isSpaceOnly(loadWord(at_, end_)) ? wordLeft() : 1;
  }

  static constexpr bool isSpaceOnly(uint64_t word) noexcept {
    return (bytesEqual(word, ' ') | bytesEqual(word, '\n') | bytesEqual(word, '\t') |
            bytesEqual(word, '\r')) == kHighs;
  }

  size_t wordLeft() const noexcept { return std::min(kWordBytes, static_cast<size_t>(end_ - at_)); }

  // Passes over the rest of a string and its closing quote.
  bool closeString() noexcept {
    const auto left = static_cast<size_t>(end_ - at_);
    const auto* quote = static_cast<const char*>(std::memchr(at_, '"', left));
    if (!quote) {
      at_ = end_;
      return false;
    }
    if (quote == at_ || quote[-1] != '\\') {
      at_ = quote + 1;
      return true;
    }
    JsonEscapes escapes;
    for (; at_ < end_; at_ += wordLeft()) {
      const uint64_t word = loadWord(at_, end_);
      const uint64_t quotes = bytesEqual(word, '"') & ~escapes.take(word);
      if (quotes == 0) continue;
      at_ += firstOf(quotes) + 1;
      return true;
    }
    return false;
  }

  bool skipValue() noexcept {
    if (at_ == end_) return false;
    if (*at_ == '"') {
      std::string_view ignored;
      return string(ignored);
    }
    if (*at_ == '[' || *at_ == '{') return JsonDepth().close(at_, end_);
    for (; at_ < end_; at_ += wordLeft()) {
      const uint64_t word = loadWord(at_, end_);
      const uint64_t ends = bytesEqual(word, ',') | bytesEqual(foldBrackets(word), '}');
      if (ends == 0) continue;
      at_ += firstOf(ends);
      return true;
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

}  // namespace cloudeasyml::protocols
