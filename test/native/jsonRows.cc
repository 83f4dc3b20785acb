#include <doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/numbers.h"
#include "support/requests.h"

using namespace cloudeasyml::test;
using namespace std::string_literals;

namespace {

const std::vector<int64_t> kOpen{-1};

/// Reads `data` as a model's only input.
ReadRequest readRows(const std::string& data, ONNXTensorElementDataType type,
                     std::vector<int64_t> rowDims = kOpen) {
  return read({"{\"data\":" + data + "}"}, oneInput(type, std::move(rowDims)));
}

template <typename T>
std::vector<T> valuesOf(const std::string& data, ONNXTensorElementDataType type) {
  const auto request = readRows("[" + data + "]", type);
  REQUIRE_MESSAGE(request.accepted(), request.detail);
  return request.inputs[0].values<T>();
}

/// Where a fault is, and what it says.
std::string faultOf(const std::string& data, ONNXTensorElementDataType type,
                    std::vector<int64_t> rowDims = kOpen) {
  const auto request = readRows(data, type, std::move(rowDims));
  CHECK(request.code == "invalid_input");
  return request.path + ": " + request.detail;
}

template <typename T>
void checkRange(ONNXTensorElementDataType type) {
  const auto low = std::to_string(std::numeric_limits<T>::min());
  const auto high = std::to_string(std::numeric_limits<T>::max());
  CHECK(valuesOf<T>("[" + low + "," + high + ",0]", type) ==
        std::vector<T>{std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), 0});
  // A digit more is out of range for each.
  for (const auto& number : {low + "9", high + "9", "-" + high + "99"}) {
    if (number == "09") continue;
    const auto fault = faultOf("[[" + number + "]]", type);
    CHECK(fault == "data[0][0]: " + number + " is out of range for " + elementName(type) + ".");
  }
  const auto fraction = faultOf("[[1.0]]", type);
  CHECK(fraction ==
        "data[0][0]: Expected a whole number (" + elementName(type) + ") but received 1.0.");
}

}  // namespace

TEST_CASE("whole numbers of every width take their whole range and no more") {
  checkRange<int8_t>(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8);
  checkRange<int16_t>(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16);
  checkRange<int32_t>(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32);
  checkRange<int64_t>(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
  checkRange<uint8_t>(ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8);
  checkRange<uint16_t>(ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16);
  checkRange<uint32_t>(ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32);
  checkRange<uint64_t>(ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64);
}

TEST_CASE("a number is what JSON says, however long it is and whatever follows it") {
  std::string digits;
  for (int length = 1; length <= 12; ++length) {
    digits += static_cast<char>('0' + length % 10);
    for (const auto* behind : {"]]}", " ]]}", "\n\t ]]}", ",7]]}"}) {
      const auto body = "{\"data\":[[" + digits + behind;
      const auto request = read({body}, oneInput(ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, {-1}));
      REQUIRE(request.accepted());
      CHECK(request.inputs[0].values<double>()[0] == std::stod(digits));
    }
  }
}

TEST_CASE("numbers with fractions and exponents become the nearest float") {
  const auto type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  CHECK(valuesOf<float>("[0.1, -2.5e-3, 1E2, 16777217, 0.0, 3]", type) ==
        std::vector<float>{0.1f, -2.5e-3f, 100, 16777216, 0, 3});
  CHECK(bitsOf(valuesOf<float>("[-0.0]", type)[0]) == 0x80000000);
  CHECK(faultOf("[[1e39]]", type) == "data[0][0]: 1e39 is out of range for float32.");
  CHECK(faultOf("[[1,-1e999]]", type) == "data[0][1]: -1e999 is out of range for float32.");
}

TEST_CASE("half floats are rounded, and out of range where they would be infinite") {
  const auto half = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16;
  CHECK(valuesOf<uint16_t>("[1, -2, 65504, 65519, 0.1]", half) ==
        std::vector<uint16_t>{0x3C00, 0xC000, 0x7BFF, 0x7BFF, 0x2E66});
  CHECK(faultOf("[[65520]]", half) == "data[0][0]: 65520 is out of range for float16.");
  const auto brain = ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
  CHECK(valuesOf<uint16_t>("[1, -2, 65520]", brain) ==
        std::vector<uint16_t>{0x3F80, 0xC000, 0x4780});
  CHECK(faultOf("[[3.4e38]]", brain) == "data[0][0]: 3.4e38 is out of range for bfloat16.");
}

TEST_CASE("booleans are true or false") {
  const auto type = ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
  CHECK(valuesOf<uint8_t>("[true, false ,true]", type) == std::vector<uint8_t>{1, 0, 1});
  CHECK(faultOf("[[1]]", type) == "data[0][0]: Expected true or false but received 1.");
  CHECK(faultOf("[[\"true\"]]", type) ==
        "data[0][0]: Expected true or false but received a string.");
}

TEST_CASE("text keeps its escapes' meaning and its zero bytes") {
  const auto type = ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
  const auto request = readRows(R"([["", "a\"\\\n", "\u00e9\ud83d\ude00", "a\u0000b"]])", type);
  REQUIRE(request.accepted());
  CHECK(request.inputs[0].strings == std::vector<std::string>{"", "a\"\\\n", "é😀", "a\0b"s});
  CHECK(faultOf("[[7]]", type) == "data[0][0]: Expected a string but received 7.");
}

TEST_CASE("rows are as deep as the input has axes, and as long") {
  const auto type = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
  const auto request = readRows("[[[1,2],[3,4]],[[5,6],[7,8]],[[9,10],[11,12]]]", type, {2, 2});
  REQUIRE(request.accepted());
  CHECK(request.rows == 3);
  CHECK(request.inputs[0].rowDims == std::vector<int64_t>{2, 2});
  CHECK(request.inputs[0].values<int32_t>().size() == 12);

  CHECK(faultOf("7", type, {2}) == "data: Expected an array of rows but received a number.");
  CHECK(faultOf("[]", type, {2}) == "data: Expected at least one row but received none.");
  CHECK(faultOf("[7]", type, {2}) ==
        "data[0]: Expected an array of 2 values but received a number.");
  CHECK(faultOf("[[1,2],[3]]", type, {2}) == "data[1]: Expected 2 values but received 1.");
  CHECK(faultOf("[[1,2,3]]", type, {2}) == "data[0]: Expected 2 values but received 3.");
  CHECK(faultOf("[[[1,2],[3,[4]]]]", type, {2, 2}) ==
        "data[0][1][1]: Expected a whole number (int32) but received an array.");
  CHECK(faultOf("[[1,2]]", type, {2, 2}) ==
        "data[0][0]: Expected an array of 2 values but received a number.");
}

TEST_CASE("an open axis takes the first row's length, and the others must agree") {
  const auto type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
  const auto request = readRows("[[1,2,3],[4,5,6]]", type);
  REQUIRE(request.accepted());
  CHECK(request.inputs[0].rowDims == std::vector<int64_t>{3});
  CHECK(faultOf("[[1,2,3],[4,5]]", type) ==
        "data[1]: Expected 3 values, as many as in the first row, but received 2.");
  const auto empty = readRows("[[],[]]", type, {-1, -1});
  REQUIRE(empty.accepted());
  CHECK(empty.rows == 2);
  CHECK(empty.inputs[0].rowDims == std::vector<int64_t>{0, 0});
}

TEST_CASE("rows that are single values need no arrays of their own") {
  const auto request = readRows("[1,2,3]", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {});
  REQUIRE(request.accepted());
  CHECK(request.rows == 3);
  CHECK(request.inputs[0].values<int64_t>() == std::vector<int64_t>{1, 2, 3});
  CHECK(faultOf("[[1]]", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {}) ==
        "data[0]: Expected a whole number (int64) but received an array.");
}

TEST_CASE("what lies behind a body in memory is not read into it") {
  for (const char behind : {'\0', '7', ' ', ']', '"', '\xFF'}) {
    for (const auto* data : {"[[1]]", "[[12345678]]", "[[1.5,100000000]]", "[[-1]]"}) {
      const auto body = "{\"data\":" + std::string(data) + "}";
      const auto signature = oneInput(ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, {-1});
      CHECK(read({body, false, behind}, signature) == read({body}, signature));
      const auto cut = std::string_view(body).substr(0, body.size() - 1);
      CHECK(read({cut, false, behind}, signature).code == "malformed_json");
      CHECK(read({cut.substr(0, cut.size() - 2), false, behind}, signature).code ==
            "malformed_json");
    }
  }
}

TEST_CASE("what is no JSON number is malformed, wherever it stands") {
  for (const std::string number :
       {"01",  "00",  "-",   "-01", "1.",       ".5",    "+1", "1e",  "1e+", "0x10",
        "1_0", "12a", "--1", "NaN", "Infinity", "1.5.5", "9/", "12:", "1\f", "1e999\v"}) {
    for (const auto type :
         {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
          ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING}) {
      CAPTURE(number);
      CHECK(readRows("[[" + number + "]]", type).code == "malformed_json");
    }
  }
}
