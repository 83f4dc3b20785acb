#include "support/frames.h"

#include <doctest.h>

using namespace cloudeasyml::test;
using namespace std::string_literals;

TEST_CASE("a frame's members are found in any order, beside others, with any space") {
  const auto frame = scan(
      " { \"data\" : [[1, \"}\", {\"id\": 9}]] ,\n\"end\":true, \"id\" : \"a\\\"b\" ,\t"
      "\"note\": null, \"deploymentId\":\"d\",\"stream\" :false, \"binary\": true } ");
  CHECK(frame.fault == Fault::kNone);
  CHECK(frame.id == R"("a\"b")");
  CHECK(frame.deploymentId == "d");
  CHECK(frame.hasData);
  CHECK(frame.end);
  CHECK(!frame.stream);
  CHECK(!frame.cancel);
  CHECK(frame.binary);
}

TEST_CASE("an id is a string or a number of at most 128 bytes") {
  CHECK(scan(R"({"id":7})").id == "7");
  CHECK(scan(R"({"id":-0.5e3 })").id == "-0.5e3");
  CHECK(scan(R"({"id":""})").id == R"("")");
  CHECK(scan("{\"id\":\"" + std::string(126, 'x') + "\"}").fault == Fault::kNone);
  CHECK(scan("{\"id\":\"" + std::string(127, 'x') + "\"}").fault == Fault::kId);
  for (const std::string json :
       {R"({"data":1})", R"({"id":null})", R"({"id":[1]})", R"({"id":true})"}) {
    CHECK(scan(json).fault == Fault::kId);
  }
}

TEST_CASE("what is no object is told from what is no JSON") {
  for (const std::string json : {"[1]", "\"a\"", "7", "-7", "true", "null", " false "}) {
    CHECK(scan(json).fault == Fault::kNotAnObject);
  }
  for (const std::string json :
       {"", " ", "}", "x", "{", "{\"id\"", "{\"id\":", "{\"id\":1", "{\"id\":1,", "{\"id\":1,}",
        "{\"id\" 1}", "{id:1}", "{\"id\":1}}", "{\"id\":1} x", "{\"id\":\"a}", "{\"id\":[1}"}) {
    CAPTURE(json);
    CHECK(scan(json).fault == Fault::kMalformed);
  }
  CHECK(scan("\0{\"id\":1}"s).fault == Fault::kMalformed);
  CHECK(scan("{\"id\":1}\0"s).fault == Fault::kMalformed);
}

TEST_CASE("a member of another kind, or there twice, is a fault of its own") {
  CHECK(scan(R"({"id":1,"deploymentId":5})").fault == Fault::kDeploymentId);
  CHECK(scan(R"({"id":1,"stream":1})").fault == Fault::kSwitch);
  CHECK(scan(R"({"id":1,"cancel":"true"})").fault == Fault::kSwitch);
  CHECK(scan(R"({"id":1,"id":1})").fault == Fault::kTwice);
  CHECK(scan(R"({"id":1,"data":1,"data":1})").fault == Fault::kTwice);
  CHECK(scan(R"({"id":1,"note":1,"note":1})").fault == Fault::kNone);
}

TEST_CASE("a binary frame's header is found by its length") {
  CHECK(headerOf(joinFrame(R"({"id":1})", "tensors")) == R"({"id":1})");
  CHECK(headerOf(joinFrame("", "tensors")) == "");
  CHECK(headerOf(joinFrame("{}", "")) == "{}");
  CHECK(!headerOf(""));
  CHECK(!headerOf("\2\0\0"s));
  CHECK(!headerOf("\3\0\0\0{}"s));
  CHECK(!headerOf("\xFF\xFF\xFF\xFF{}"s));
}

TEST_CASE("a text frame is its head, its answer without the brace, and its tail") {
  CHECK(writeFrame(R"({"id":7,"done":true,)", R"({"predictions":[1]})", "", false) ==
        R"({"id":7,"done":true,"predictions":[1]})");
  CHECK(writeFrame(R"({"id":7,"error":)", R"({"code":"x"})", "}", false) ==
        R"({"id":7,"error":{"code":"x"}})");
  CHECK(writeFrame("", R"({"predictions":[1]})", "", false) == R"({"predictions":[1]})");
}

TEST_CASE("a completion without an answer is its head and tail") {
  CHECK(writeFrame(R"({"id":7,)", "", "", false) == R"({"id":7,)");
  CHECK(writeFrame("", "", "", false) == "");
  CHECK(writeFrame(R"({"id":7,"error":)", "", "}", true) == R"({"id":7,"error":})");
}

TEST_CASE("a binary frame's tensors begin at a multiple of 8") {
  for (size_t length = 0; length < 20; ++length) {
    const auto header = "{\"a\":\"" + std::string(length, 'x') + "\"}";
    const auto frame = writeFrame("{\"id\":7,", joinFrame(header, "12345"), "", true);
    const auto written = headerOf(frame);
    REQUIRE(written);
    CHECK((written->size() + 4) % 8 == 0);
    CHECK(written->substr(0, written->find_last_not_of(' ') + 1) ==
          "{\"id\":7," + header.substr(1));
    CHECK(frame.substr(4 + written->size()) == "12345");
  }
}
