#include "fuzz/strictJson.h"

#include <algorithm>
namespace cloudeasyml::test {

namespace {

constexpr std::string_view kOfNumbers = "+-.0123456789eE";

/// Calls `outside` with what stands between a text's strings, and `inside` with each of those.
template <typename Outside, typename Inside>
void splitStrings(std::string_view text, Outside outside, Inside inside) {
  size_t start = 0;
  while (start < text.size()) {
    const size_t quote = std::min(text.find('"', start), text.size());
    outside(text.substr(start, quote - start));
    size_t end = quote + 1;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    end = std::min(end + 1, text.size());
    if (quote < text.size()) inside(text.substr(quote, end - quote));
    start = end;
  }
}

/// -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
bool isNumber(std::string_view token) {
  const auto take = [&](std::string_view any) {
    const bool found = !token.empty() && any.find(token.front()) != std::string_view::npos;
    if (found) token.remove_prefix(1);
    return found;
  };
  const auto takeDigits = [&] {
    bool found = false;
    while (take("0123456789")) found = true;
    return found;
  };
  take("-");
  if (!take("0") && !takeDigits()) return false;
  if (take(".") && !takeDigits()) return false;
  if (take("eE")) {
    take("+-");
    if (!takeDigits()) return false;
  }
  return token.empty();
}

/// Puts 0 in every number's place.
std::string withoutNumbers(std::string_view text) {
  std::string out;
  const auto replace = [&](std::string_view plain) {
    size_t at = 0;
    while (at < plain.size()) {
      const size_t start = std::min(plain.find_first_of("-0123456789", at), plain.size());
      out.append(plain, at, start - at);
      at = std::min(plain.find_first_not_of(kOfNumbers, start), plain.size());
      const auto token = plain.substr(start, at - start);
      if (isNumber(token)) {
        out += '0';
      } else {
        out += token;
      }
    }
  };
  splitStrings(text, replace, [&](std::string_view quoted) { out += quoted; });
  return out;
}

}  // namespace

StrictJson::StrictJson(std::string_view text) {
  auto error = parser_.parse(text.data(), text.size()).get(root_);
  if (error == simdjson::NUMBER_ERROR || error == simdjson::BIGINT_ERROR) {
    simplified_ = true;
    error = parser_.parse(withoutNumbers(text)).get(root_);
  }
  valid_ = !error;
}

size_t nestingOf(std::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  const auto count = [&](std::string_view plain) {
    for (const char each : plain) {
      if (each == '[' || each == '{') deepest = std::max(deepest, ++depth);
      if ((each == ']' || each == '}') && depth > 0) --depth;
    }
  };
  splitStrings(text, count, [](std::string_view) {});
  return deepest;
}

}  // namespace cloudeasyml::test
