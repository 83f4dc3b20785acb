#include "protocols/envelope.h"

#include <charconv>
#include <cstring>
#include <limits>

#include "protocols/jsonScanner.h"

namespace cloudeasyml::protocols {

namespace {

constexpr std::string_view kPriorityName = "priority";
constexpr std::string_view kTimeoutName = "timeoutMs";

bool readWhole(std::string_view value, uint32_t& out) noexcept {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  return error == std::errc() && end == value.data() + value.size();
}

/// Characters that are looked at, one by one.
constexpr size_t kMostLooks = 1024;

/// Whether a quoted name may stand anywhere in the text. It looks for the name's rarest character:
/// a body is mostly numbers, which have none of them, and memchr passes over those at many bytes a
/// cycle. Where the character is frequent it gives up and says yes.
bool mayMention(std::string_view json, std::string_view name, char rarest) noexcept {
  const size_t before = name.find(rarest) + 1;
  const char* at = json.data();
  const char* const end = at + json.size();
  size_t looks = 0;
  while ((at = static_cast<const char*>(std::memchr(at, rarest, static_cast<size_t>(end - at)))) !=
         nullptr) {
    const auto place = static_cast<size_t>(at - json.data());
    if (place >= before && json[place - before] == '"' &&
        json.substr(place - before + 1, name.size()) == name) {
      return true;
    }
    if (++looks == kMostLooks) return true;
    if (++at == end) return false;
  }
  return false;
}

}  // namespace

bool readPriority(std::string_view value, Envelope& out) noexcept {
  uint32_t level = 0;
  if (!readWhole(value, level) || level < kHighestPriority || level > kLowestPriority) return false;
  out.priority = static_cast<uint8_t>(level);
  return true;
}

bool readTimeout(std::string_view value, Envelope& out) noexcept {
  uint32_t ms = 0;
  if (!readWhole(value, ms) || ms == 0 || ms > std::numeric_limits<int32_t>::max()) return false;
  out.timeoutMs = ms;
  return true;
}

EnvelopeFault scanEnvelope(std::string_view json, Envelope& out) noexcept {
  if (json.empty()) return EnvelopeFault::kNone;
  if (!mayMention(json, kPriorityName, 'r') && !mayMention(json, kTimeoutName, 'M')) {
    return EnvelopeFault::kNone;
  }
  JsonScanner scanner(json);
  if (!scanner.take('{')) return EnvelopeFault::kNone;
  size_t members = 0;
  do {
    if (++members > kMostMembers) return EnvelopeFault::kMembers;
    std::string_view key;
    std::string_view value;
    if (!scanner.string(key) || !scanner.take(':') || !scanner.value(value)) break;
    if (key == kPriorityName && !readPriority(value, out)) return EnvelopeFault::kPriority;
    if (key == kTimeoutName && !readTimeout(value, out)) return EnvelopeFault::kTimeout;
  } while (scanner.take(','));
  return EnvelopeFault::kNone;
}

}  // namespace cloudeasyml::protocols
