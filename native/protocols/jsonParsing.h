// What all that reads JSON shares: faults, and values that are only checked.
#pragma once

#include <simdjson.h>

#include <string_view>
#include <utility>

namespace cloudeasyml::protocols {

/// All the space that JSON knows.
constexpr std::string_view kJsonSpace = " \t\r\n";

/// Turns a parser's error into a RequestError malformed_json.
[[noreturn]] void throwMalformed(simdjson::error_code error);

/// Unwraps a parser's answer or throws malformed_json.
template <typename T>
T parsed(simdjson::simdjson_result<T> result) {
  T value;
  if (const auto error = std::forward<simdjson::simdjson_result<T>>(result).get(value)) {
    throwMalformed(error);
  }
  return value;
}

/// Walks a value to its end, so that a fault anywhere in it is found.
void validate(simdjson::ondemand::value value, int depth = 0);

/// "a number", "an array", …
const char* kindOf(simdjson::ondemand::value value);

/// Whether a text is a JSON number, of any size, with space behind it.
bool isNumberText(std::string_view text);

}  // namespace cloudeasyml::protocols
