#include <doctest.h>

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

}  // namespace

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
