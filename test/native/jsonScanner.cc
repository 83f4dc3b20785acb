#include <doctest.h>

#include <random>

#include "protocols/jsonScanner.h"
#include "support/frames.h"

using namespace cloudeasyml::test;
using namespace std::string_literals;
using Kind = Route::Kind;

namespace {

std::string idIn(std::string_view body) {
  const auto route = routeOf(body);
  CHECK(route.kind == Kind::kFound);
  return std::string(route.id);
}

/// Where the value that begins with a bracket ends, byte by byte; 0 where it does not end.
size_t endOfContainer(std::string_view text) {
  size_t depth = 0;
  bool isInString = false;
  bool isEscaped = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (isEscaped) {
      isEscaped = false;
    } else if (byte == '\\') {
      isEscaped = true;
    } else if (byte == '"') {
      isInString = !isInString;
    }
    if (isInString) continue;
    if (byte == '[' || byte == '{') ++depth;
    if ((byte == ']' || byte == '}') && --depth == 0) return i + 1;
  }
  return 0;
}

/// Where the string that begins the text ends, likewise.
size_t endOfString(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

}  // namespace

TEST_CASE("values of any brackets, quotes and backslashes end where they do byte by byte") {
  constexpr std::string_view kAlphabet = "[]{}[]\"\"\\\\ 1,a\x85\xDB\xFD";
  std::minstd_rand random(7);
  for (size_t round = 0; round < 200'000; ++round) {
    std::string text(1, round % 3 == 0 ? '"' : '[');
    const size_t length = random() % 70;
    const size_t kinds = 1 + random() % kAlphabet.size();
    while (text.size() < length) text += kAlphabet[(random() >> 8) % kinds];
    CAPTURE(text);
    const size_t end = text[0] == '"' ? endOfString(text) : endOfContainer(text);
    cloudeasyml::protocols::JsonScanner scanner{std::string_view(text)};
    std::string_view value;
    REQUIRE(scanner.value(value) == (end > 0));
    if (end > 0) REQUIRE(value == text.substr(0, end));
  }
}

TEST_CASE("deep nesting is followed beyond any word") {
  for (const size_t depth : {1, 7, 8, 9, 63, 64, 65, 1000}) {
    const std::string nested = std::string(depth, '[') + "\"]\"" + std::string(depth, ']');
    CHECK(idIn("{\"data\":" + nested + ",\"deploymentId\":\"a\"}") == "a");
    CHECK(routeOf("{\"data\":" + nested.substr(1) + ",\"deploymentId\":\"a\"}").kind ==
          Kind::kMalformed);
  }
}

TEST_CASE("the deployment is found at the top level alone, wherever it stands") {
  CHECK(idIn(R"({"deploymentId":"a"})") == "a");
  CHECK(idIn(" {\n\"data\" : [[1,2],[3,4]] , \"deploymentId\" :\t\"a b\" }") == "a b");
  CHECK(idIn(R"({"data":{"deploymentId":"inner"},"deploymentId":"outer"})") == "outer");
  CHECK(idIn(R"({"data":"\"deploymentId\":\"no\"","deploymentId":"yes"})") == "yes");
  CHECK(idIn(R"({"data":"\\","deploymentId":"yes"})") == "yes");
  CHECK(idIn(R"({"data":"\\\"","deploymentId":"é😀"})") == "é😀");
  CHECK(idIn(R"({"a":true,"b":null,"c":-1.5e3,"d":"","deploymentId":"x"})") == "x");
}

TEST_CASE("brackets and quotes in values of every length lead nowhere") {
  // The scan takes eight bytes at a time.
  for (size_t length = 0; length < 40; ++length) {
    const std::string plain(length, '7');
    CHECK(idIn("{\"data\":[" + plain + ",\"]}[{\"," + plain + "],\"deploymentId\":\"a\"}") == "a");
    CHECK(idIn("{\"data\":{\"k\":\"" + plain + "\\\"}\"},\"deploymentId\":\"a\"}") == "a");
  }
}

TEST_CASE("no deployment is told from one that is no text, and from what is no object") {
  CHECK(routeOf("{}").kind == Kind::kAbsent);
  CHECK(routeOf(R"({"data":[1]})").kind == Kind::kAbsent);
  for (const std::string json : {R"({"deploymentId":1})", R"({"deploymentId":null})",
                                 R"({"deploymentId":["a"]})", R"({"deploymentId":{}})"}) {
    CHECK(routeOf(json).kind == Kind::kNotText);
  }
  for (const std::string json :
       {"", "[]", "{", "{\"deploymentId\"", "{\"deploymentId\":", "{\"deploymentId\":\"a",
        "{\"data\":[1", "{\"data\":\"a", "{\"data\":1", "{1:2}"}) {
    CAPTURE(json);
    CHECK(routeOf(json).kind == Kind::kMalformed);
  }
}

TEST_CASE("a string ends at its first quote without a backslash of its own") {
  const std::pair<std::string, std::string> cases[] = {
      {R"("a")", "a"},
      {R"("")", ""},
      {R"("a\"b")", R"(a\"b)"},
      {R"("a\\")", R"(a\\)"},
      {R"("\\\"")", R"(\\\")"},
      {"\"a\0b\""s, "a\0b"s},
      {"\"\xC3\xA9\"", "\xC3\xA9"},
  };
  for (const auto& [json, inner] : cases) {
    cloudeasyml::protocols::JsonScanner scanner(json);
    std::string_view found;
    CHECK(scanner.string(found));
    CHECK(found == inner);
    CHECK(scanner.atEnd());
  }
  for (const std::string json : {"\"", "\"a", "\"a\\\"", "a\"", ""}) {
    cloudeasyml::protocols::JsonScanner scanner{std::string_view(json)};
    std::string_view found;
    CHECK(!scanner.string(found));
  }
}
