// Walking JSON without parsing it, against a strict parser's tree.
#include "protocols/jsonScanner.h"

#include <string>

#include "fuzz/strictJson.h"
#include "fuzz/target.h"
#include "support/frames.h"

using namespace cloudeasyml::test;

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kSpace) + 1 - start);
}

/// The text that a JSON string stands for.
std::string meant(std::string_view inner) {
  const StrictJson strict("\"" + std::string(inner) + "\"");
  REQUIRE(strict.valid());
  return std::string(strict.root().get_string().value_unsafe());
}

void requireRoute(const Route& route, simdjson::dom::object object) {
  for (const auto field : object) {
    if (field.key != "deploymentId") continue;
    std::string_view id;
    if (field.value.get(id)) {
      REQUIRE(route.kind == Route::Kind::kNotText);
    } else {
      REQUIRE(route.kind == Route::Kind::kFound);
      REQUIRE(meant(route.id) == id);
    }
    return;
  }
  REQUIRE(route.kind == Route::Kind::kAbsent);
}

void requireWhole(std::string_view text, const StrictJson& strict) {
  cloudeasyml::protocols::JsonScanner scanner(text);
  std::string_view found;
  if (strict.root().is_string()) {
    REQUIRE(scanner.string(found));
    REQUIRE(meant(found) == strict.root().get_string().value_unsafe());
  } else if (strict.root().is_array() || strict.root().is_object()) {
    REQUIRE(scanner.value(found));
    REQUIRE(found == trimmed(text));
  } else {
    // A bare number ends with the text, which the scan takes for a text that is cut off.
    return;
  }
  REQUIRE(scanner.atEnd());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = FuzzInput(data, size).rest();
  const auto route = routeOf(text);
  cloudeasyml::protocols::JsonScanner scanner(text);
  std::string_view found;
  while (scanner.value(found)) {
    REQUIRE(found.data() >= text.data() &&
            found.data() + found.size() <= text.data() + text.size());
    if (!scanner.take(',') && !scanner.take(':')) break;
  }
  const StrictJson strict(text);
  if (!strict.valid() || isMarked(text)) return 0;
  requireWhole(text, strict);
  simdjson::dom::object object;
  if (!strict.root().get(object) && text.find("\\u") == std::string_view::npos) {
    requireRoute(route, object);
  }
  return 0;
}
