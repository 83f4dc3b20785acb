#include "protocols/jsonParsing.h"

#include <string>

#include "protocols/requestError.h"

namespace cloudeasyml::protocols {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr int kMaxDepth = 128;

}  // namespace

const char* kindOf(ondemand::value value) {
  ondemand::json_type type;
  if (value.type().get(type)) return "something that is not JSON";
  switch (type) {
    case ondemand::json_type::array:
      return "an array";
    case ondemand::json_type::object:
      return "an object";
    case ondemand::json_type::number:
      return "a number";
    case ondemand::json_type::string:
      return "a string";
    case ondemand::json_type::boolean:
      return "a boolean";
    case ondemand::json_type::null:
      return "null";
  }
  return "something else";
}

bool isNumberText(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t start = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - start;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool leadingZero = at < text.size() && text[at] == '0';
  const size_t whole = digits();
  if (whole == 0 || (leadingZero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return text.find_first_not_of(kJsonSpace, at) == std::string_view::npos;
}

void throwMalformed(simdjson::error_code error) {
  // The parser's texts begin with the error's own name, which says nothing to a client.
  std::string_view reason = simdjson::error_message(error);
  const size_t colon = reason.find(": ");
  if (colon != std::string_view::npos) reason.remove_prefix(colon + 2);
  throw RequestError(
      ErrorCode::kMalformedJson, "",
      "The body is not valid JSON: " + std::string(reason) + (reason.back() == '.' ? "" : "."));
}

void validate(ondemand::value value, int depth) {
  if (depth > kMaxDepth) {
    throw RequestError(ErrorCode::kMalformedJson, "",
                       "The body is nested deeper than " + std::to_string(kMaxDepth) + " levels.");
  }
  switch (parsed(value.type())) {
    case ondemand::json_type::array: {
      for (auto item : parsed(value.get_array())) validate(parsed(std::move(item)), depth + 1);
      return;
    }
    case ondemand::json_type::object: {
      for (auto field : parsed(value.get_object())) {
        auto member = parsed(std::move(field));
        parsed(member.unescaped_key(false));
        validate(member.value(), depth + 1);
      }
      return;
    }
    case ondemand::json_type::number: {
      std::string_view token = value.raw_json_token();
      // The token must be consumed for the walk to go on.
      double ignored;
      const auto error = value.get_double().get(ignored);
      if (error && !isNumberText(token)) throwMalformed(error);
      return;
    }
    case ondemand::json_type::string:
      parsed(value.get_string());
      return;
    case ondemand::json_type::boolean:
      parsed(value.get_bool());
      return;
    case ondemand::json_type::null: {
      if (!parsed(value.is_null())) throwMalformed(simdjson::N_ATOM_ERROR);
      return;
    }
  }
}

}  // namespace cloudeasyml::protocols
