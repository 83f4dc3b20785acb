#include <doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "support/numbers.h"

using namespace cloudeasyml::test;
using namespace std::string_literals;

TEST_CASE("text is quoted, and what JSON reserves is escaped") {
  CHECK(jsonString("") == R"("")");
  CHECK(jsonString("plain text") == R"("plain text")");
  CHECK(jsonString(R"(a "b" \c)") == R"("a \"b\" \\c")");
  CHECK(jsonString("\n\r\t") == R"("\n\r\t")");
  CHECK(jsonString("\0\x01\x1f\x7f"s) == "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST_CASE("UTF-8 stays as it is") {
  const std::string texts[] = {"é", "€", "😀", "\u0080", "\u07FF", "\u0800", "\uFFFF", "\U0010FFFF"};
  for (const auto& text : texts) CHECK(jsonString("a" + text + "b") == "\"a" + text + "b\"");
}

TEST_CASE("bytes that are no UTF-8 become replacement characters, and what follows stays") {
  const std::string faulty[] = {
      "\x80",  // continues nothing
      "\xC0",  // never valid
      "\xC1",  //
      "\xFF",  //
      "\xC3",  // cut off
  };
  for (const auto& bytes : faulty) CHECK(jsonString("a" + bytes + "b") == "\"a\uFFFDb\"");
  // Overlong, a surrogate and beyond Unicode: one for each byte.
  CHECK(jsonString("\xE0\x80\x80") == "\"\uFFFD\uFFFD\uFFFD\"");
  CHECK(jsonString("\xED\xA0\x80") == "\"\uFFFD\uFFFD\uFFFD\"");
  CHECK(jsonString("\xF4\x90\x80\x80") == "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");
  CHECK(jsonString("\xE2\x82") == "\"\uFFFD\uFFFD\"");
}

TEST_CASE("numbers have the fewest digits that read back the same") {
  CHECK(textOf(0.1f) == "0.1");
  CHECK(textOf(0.1) == "0.1");
  CHECK(textOf(16777216.0f) == "16777216");
  CHECK(textOf(-0.0f) == "-0");
  for (const float value : {1.0f / 3, 1e-45f, std::numeric_limits<float>::max(), 1e10f, 5e-324f}) {
    CHECK(std::strtof(textOf(value).c_str(), nullptr) == value);
  }
  for (const double value : {1.0 / 3, 5e-324, std::numeric_limits<double>::max(), 1e22}) {
    CHECK(std::strtod(textOf(value).c_str(), nullptr) == value);
  }
  CHECK(textOf(std::numeric_limits<int64_t>::min()) == "-9223372036854775808");
  CHECK(textOf(std::numeric_limits<uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("NaN and infinities, which JSON does not have, are null") {
  CHECK(textOf(std::numeric_limits<float>::quiet_NaN()) == "null");
  CHECK(textOf(std::numeric_limits<float>::infinity()) == "null");
  CHECK(textOf(-std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("a failure has its path where there is one") {
  CHECK(failureText("invalid_input", "No \"x\".", "data[0]") ==
        R"({"code":"invalid_input","detail":"No \"x\".","path":"data[0]"})");
  CHECK(failureText("worker_lost", "Gone.", "") == R"({"code":"worker_lost","detail":"Gone."})");
}
