#include "protocols/jsonText.h"

#include <charconv>
#include <cmath>

#include "runtime/error.h"

namespace cloudeasyml::protocols {

namespace {

/// Length of the valid UTF-8 sequence at `at`, or 0 where there is none.
size_t sequenceLength(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](size_t i, unsigned char low = 0x80, unsigned char high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(at + 1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned char low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : 0xBF;
    return follows(at + 1, low, high) && follows(at + 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned char low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(at + 1, low, high) && follows(at + 2) && follows(at + 3) ? 4 : 0;
  }
  return 0;
}

template <typename Number>
void writeShortest(std::string& out, Number value) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(value)) {
      out += "null";
      return;
    }
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, static_cast<size_t>(end - text));
}

}  // namespace

void writeString(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  size_t plain = 0;
  size_t at = 0;
  const auto flush = [&] { out.append(text, plain, at - plain); };
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
      ++at;
      continue;
    }
    if (byte >= 0x80) {
      const size_t length = sequenceLength(text, at);
      if (length > 0) {
        at += length;
        continue;
      }
      flush();
      out += "\xEF\xBF\xBD";
    } else {
      flush();
      out += '\\';
      switch (byte) {
        case '"':
        case '\\':
          out += static_cast<char>(byte);
          break;
        case '\n':
          out += 'n';
          break;
        case '\r':
          out += 'r';
          break;
        case '\t':
          out += 't';
          break;
        default:
          out += "u00";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
      }
    }
    plain = ++at;
  }
  flush();
  out += '"';
}

void writeFloat(std::string& out, float value) { writeShortest(out, value); }
void writeDouble(std::string& out, double value) { writeShortest(out, value); }
void writeInteger(std::string& out, int64_t value) { writeShortest(out, value); }
void writeUnsigned(std::string& out, uint64_t value) { writeShortest(out, value); }

void writeFailure(std::string& out, ErrorCode code, std::string_view detail,
                  std::string_view path) {
  out.assign("{\"code\":");
  writeString(out, nameOf(code));
  out += ",\"detail\":";
  writeString(out, detail);
  if (!path.empty()) {
    out += ",\"path\":";
    writeString(out, path);
  }
  out += '}';
}

}  // namespace cloudeasyml::protocols
