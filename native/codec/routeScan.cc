#include "codec/routeScan.h"

#include <cstdint>
#include <cstring>

namespace cloudeasyml::codec {

namespace {

constexpr uint64_t kOnes = 0x0101010101010101ULL;
constexpr uint64_t kHighs = 0x8080808080808080ULL;

constexpr uint64_t bytesEqual(uint64_t word, unsigned char byte) noexcept {
  const uint64_t difference = word ^ (kOnes * byte);
  return (difference - kOnes) & ~difference & kHighs;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  RouteScan find(std::string_view& id) noexcept {
    if (!take('{')) return RouteScan::kMalformed;
    if (take('}')) return RouteScan::kAbsent;
    for (;;) {
      std::string_view key;
      if (!string(key) || !take(':')) return RouteScan::kMalformed;
      space();
      if (key == "deploymentId") {
        if (at_ == end_) return RouteScan::kMalformed;
        if (*at_ != '"') return RouteScan::kNotText;
        return string(id) ? RouteScan::kFound : RouteScan::kMalformed;
      }
      if (!skipValue()) return RouteScan::kMalformed;
      if (take('}')) return RouteScan::kAbsent;
      if (!take(',')) return RouteScan::kMalformed;
    }
  }

 private:
  void space() noexcept {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  bool take(char expected) noexcept {
    space();
    if (at_ == end_ || *at_ != expected) return false;
    ++at_;
    return true;
  }

  bool string(std::string_view& out) noexcept {
    space();
    if (at_ == end_ || *at_ != '"') return false;
    const char* start = ++at_;
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

}  // namespace

RouteScan scanDeploymentId(std::string_view body, std::string_view& id) noexcept {
  return Scanner(body).find(id);
}

}  // namespace cloudeasyml::codec
