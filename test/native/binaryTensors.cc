#include <doctest.h>

#include <string>
#include <vector>

#include "support/frames.h"
#include "support/requests.h"

using namespace cloudeasyml::test;
using namespace std::string_literals;

namespace {

const Signature kSingle = oneInput(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, {2});

/// Reads a frame whose header lists tensors.
ReadRequest readFrame(const std::string& tensors, std::string_view bytes,
                      const Signature& signature = kSingle) {
  return read({joinFrame("{\"tensors\":" + tensors + "}", bytes), true}, signature);
}

std::string faultOf(const std::string& tensors, std::string_view bytes,
                    const Signature& signature = kSingle) {
  const auto request = readFrame(tensors, bytes, signature);
  CHECK(request.code == "invalid_input");
  return request.path + ": " + request.detail;
}

/// A string as a frame has it.
std::string prefixed(const std::string& text) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return bytes + text;
}

}  // namespace

TEST_CASE("a lone tensor needs no name, and is taken as it lies") {
  const auto request =
      readFrame(R"([{"type":"int16","dims":[2,2],"note":[1]}])", "\1\0\2\0\3\0\xFF\xFF"s);
  REQUIRE_MESSAGE(request.accepted(), request.detail);
  CHECK(request.rows == 2);
  CHECK(request.inputs[0].rowDims == std::vector<int64_t>{2});
  CHECK(request.inputs[0].values<int16_t>() == std::vector<int16_t>{1, 2, 3, -1});
}

TEST_CASE("tensors take their bytes one after the other, in the header's order") {
  const Signature several{{{"text", ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, {}},
                           {"flags", ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, {-1}},
                           {"rate", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, {}, false}}};
  const auto header =
      R"([{"name":"rate","type":"uint8","dims":[]},{"name":"flags","type":"bool","dims":[2,3]},)"
      R"({"name":"text","type":"string","dims":[2]}])";
  const auto bytes = "\x09"s + "\0\1\2\xFF\0\1"s + prefixed("é\0"s) + prefixed("");
  const auto request = readFrame(header, bytes, several);
  REQUIRE_MESSAGE(request.accepted(), request.detail);
  CHECK(request.rows == 2);
  CHECK(request.inputs[0].strings == std::vector<std::string>{"é\0"s, ""});
  // Whatever is not zero is true, and 1.
  CHECK(request.inputs[1].bytes == "\0\1\1\1\0\1"s);
  CHECK(request.inputs[2].bytes == "\x09");

  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    CHECK(readFrame(header, std::string_view(bytes).substr(0, cut), several).code ==
          "invalid_input");
  }
  CHECK(faultOf(header, bytes + "x", several) ==
        "tensors: Expected the frame to end with the last tensor, but 1 more bytes follow.");
}

TEST_CASE("an entry that is incomplete or of other kinds is named") {
  CHECK(faultOf("7", "") ==
        "tensors: Expected an array of objects with \"name\", \"type\" and \"dims\".");
  CHECK(faultOf("[7]", "") ==
        "tensors[0]: Expected an object with \"name\", \"type\" and \"dims\".");
  CHECK(faultOf(R"([{"dims":[1]}])", "") == "tensors[0].type: Expected the type of the elements.");
  CHECK(faultOf(R"([{"type":"int16"}])", "") ==
        "tensors[0].dims: Expected the lengths of the axes.");
  CHECK(faultOf(R"([{"type":7,"dims":[1]}])", "") == "tensors[0].type: Expected a string.");
  const std::string dims =
      "tensors[0].dims: Expected an array of whole numbers, one length per axis.";
  for (const auto* wrong : {"7", "[-1]", "[1.5]", "[\"1\"]", "[9223372036854775808]"}) {
    CHECK(faultOf("[{\"type\":\"int16\",\"dims\":" + std::string(wrong) + "}]", "") == dims);
  }
}

TEST_CASE("a tensor must have the model's type and shape, and all its bytes") {
  CHECK(faultOf(R"([{"type":"int32","dims":[1,2]}])", "") ==
        "tensors[0].type: Expected \"int16\" but received \"int32\".");
  CHECK(faultOf(R"([{"type":"int16","dims":[1,3]}])", "") ==
        "tensors[0].dims: Expected [any, 2] but received [1, 3].");
  CHECK(faultOf(R"([{"type":"int16","dims":[2]}])", "") ==
        "tensors[0].dims: Expected [any, 2] but received [2].");
  CHECK(faultOf(R"([{"type":"int16","dims":[0,2]}])", "") ==
        "tensors[0].dims: Expected from 1 to 1048576 rows.");
  CHECK(faultOf(R"([{"type":"int16","dims":[1,2]}])", "123") ==
        "tensors[0]: Expected the bytes of [1, 2] elements of type int16 in the frame, but it has "
        "fewer.");
  CHECK(faultOf(R"([{"name":"z","type":"int16","dims":[1,2]}])", "") ==
        "tensors[0].name: Expected the name of an input of the model, which takes \"x\".");
  CHECK(faultOf(R"([{"type":"int16","dims":[1,2]},{"type":"int16","dims":[1,2]}])", "12341234") ==
        "tensors[1]: Expected each input once.");
}

TEST_CASE("a shape whose elements no memory holds is refused without an attempt") {
  const auto open = oneInput(ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, {-1, -1, -1});
  for (const auto* dims : {"[2147483647,9223372036854775807,9223372036854775807,2]",
                           "[2147483647,4294967296,4294967296,4294967296]", "[1,1099511627776,1,1]",
                           "[1,2305843009213693952,4,2]"}) {
    const auto request =
        readFrame("[{\"type\":\"float64\",\"dims\":" + std::string(dims) + "}]", "12345678", open);
    CHECK(request.code == "invalid_input");
  }
  const auto text = oneInput(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, {-1});
  CHECK(readFrame(R"([{"type":"string","dims":[2147483647,2147483647]}])", prefixed("a"), text)
            .code == "invalid_input");
}

TEST_CASE("a tensor without elements takes no bytes") {
  const auto open = oneInput(ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, {-1});
  const auto request = readFrame(R"([{"type":"float64","dims":[2,0]}])", "", open);
  REQUIRE_MESSAGE(request.accepted(), request.detail);
  CHECK(request.rows == 2);
  CHECK(request.inputs[0].rowDims == std::vector<int64_t>{0});
  CHECK(request.inputs[0].bytes.empty());
}

TEST_CASE("a binary frame has tensors and no data") {
  const auto code = [](std::string_view header) {
    const auto request = read({joinFrame(header, ""), true}, kSingle);
    return request.path.empty() ? request.code : request.path;
  };
  CHECK(code(R"({"id":1})") == "tensors");
  CHECK(code(R"({"data":[[1,2]]})") == "data");
  CHECK(code(R"({"tensors":[]})") == "tensors");
  CHECK(code(R"({"tensors":[)") == "malformed_json");
  CHECK(code("") == "malformed_json");
}

TEST_CASE("a frame that has no header is refused") {
  for (const auto& frame : {""s, "\1"s, "\xFF\xFF\xFF\xFF{}"s}) {
    CHECK(read({frame, true}, kSingle).code == "malformed_json");
    CHECK(countRows({frame, true}) == 0);
    CHECK(!isJson({frame, true}));
  }
}

TEST_CASE("a plugin's frame counts as the rows of a lone tensor without a name") {
  const auto rows = [](const std::string& tensors) {
    return countRows({joinFrame("{\"tensors\":" + tensors + "}", ""), true});
  };
  CHECK(rows(R"([{"type":"int16","dims":[5,2]}])") == 5);
  CHECK(rows(R"([{"type":"int16","dims":[]}])") == 1);
  CHECK(rows(R"([{"type":"int16","dims":[0]}])") == 1);
  CHECK(rows(R"([{"name":"x","type":"int16","dims":[5,2]}])") == 1);
  CHECK(rows(R"([{"type":"int16","dims":[9007199254740993]}])") == 2147483647);
  CHECK(rows("[]") == 1);
  CHECK(rows("7") == 0);
}
