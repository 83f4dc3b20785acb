// Text and numbers written as JSON, read again by a strict parser.
#include <charconv>
#include <cmath>
#include <string>
#include <type_traits>

#include "fuzz/strictJson.h"
#include "fuzz/target.h"
#include "support/numbers.h"

using namespace cloudeasyml::test;

namespace {

template <typename Number>
void writeNumber(Number value) {
  const auto text = textOf(value);
  REQUIRE(StrictJson(text).valid());
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(value)) {
      REQUIRE(text == "null");
      return;
    }
  }
  Number found;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
  REQUIRE(error == std::errc() && end == text.data() + text.size());
  REQUIRE(found == value);
}

void writeText(std::string_view text) {
  const StrictJson strict(jsonString(text));
  REQUIRE(strict.valid());
  const auto found = strict.root().get_string().value_unsafe();
  if (simdjson::validate_utf8(text.data(), text.size())) {
    REQUIRE(found == text);
  } else {
    REQUIRE(found.find("\xEF\xBF\xBD") != std::string_view::npos);
    REQUIRE(jsonString(found) == jsonString(text));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const auto text = input.rest();
  writeText(text);
  REQUIRE(StrictJson(failureText("invalid_input", text, text)).valid());
  const auto bits = input.take<uint64_t>();
  writeNumber(bits);
  writeNumber(static_cast<int64_t>(bits));
  double wide;
  std::memcpy(&wide, &bits, sizeof wide);
  writeNumber(wide);
  writeNumber(floatOf(static_cast<uint32_t>(bits)));
  return 0;
}
