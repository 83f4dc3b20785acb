#include <doctest.h>

#include <string>
#include <vector>

#include "support/requests.h"

using namespace cloudeasyml::test;

namespace {

const Signature kSingle = oneInput(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, {2});
const Signature kSeveral{{{"ids", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {-1}},
                          {"mask", ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, {}},
                          {"rate", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, {}, false}},
                         {"label", "scores"}};

std::string codeOf(std::string_view body, const Signature& signature = kSingle) {
  return read({body}, signature).code;
}

std::string faultOf(std::string_view body, const Signature& signature = kSingle) {
  const auto request = read({body}, signature);
  CHECK(request.code == "invalid_input");
  return request.path + ": " + request.detail;
}

}  // namespace

TEST_CASE("data is found among other members, which are only checked") {
  const auto request =
      read({R"( {"note": {"a": [1, "\"}"]}, "d\u0061ta": [[1,2]], "x": 1e999} )"}, kSingle);
  REQUIRE_MESSAGE(request.accepted(), request.detail);
  CHECK(request.rows == 1);
  CHECK(request.inputs[0].values<float>() == std::vector<float>{1, 2});
  CHECK(request.outputs.empty());
}

TEST_CASE("a body is an object with one data") {
  CHECK(faultOf("[1]") == ": Expected the body to be an object like {\"data\": …}.");
  CHECK(codeOf("7") == "invalid_input");
  CHECK(codeOf("null") == "invalid_input");
  CHECK(faultOf("{}") == "data: Expected \"data\", the rows to predict, but the body has none.");
  CHECK(faultOf(R"({"data":[[1,2]],"data":[[1,2]]})") == "data: Expected one \"data\", not two.");
  CHECK(faultOf(R"({"options":{},"options":{},"data":[[1,2]]})") ==
        "options: Expected one \"options\", not two.");
}

TEST_CASE("what is no JSON is malformed, although something before it is wrong, too") {
  for (const std::string body : {"",
                                 " ",
                                 "{",
                                 "}",
                                 "{]",
                                 "{\"data\":[[1,2]]",
                                 "{\"data\":[[1,2]]}}",
                                 "{\"data\":[[1,2]]} x",
                                 "{\"data\":[[1,2],]}",
                                 "{\"data\":[[1 2]]}",
                                 "{\"data\":[[1,2]],}",
                                 "{data:[[1,2]]}",
                                 "{\"data\":[[1,2]],\"x\":tru}",
                                 "{\"data\":[[1,2]],\"x\":nulll}",
                                 "{\"data\":[[1,2]] \"x\":1}",
                                 "{\"data\":[[1,2]],\"x\":\"\\x\"}",
                                 "{\"data\":[[1,2]],\"x\":\"\n\"}",
                                 "{\"data\":[[1,2]],\"x\":\"\xFF\"}",
                                 "{\"data\":7,\"x\":01}",
                                 "{\"data\":7,\"x\":[}",
                                 "[1,",
                                 "7 7",
                                 "tru"}) {
    CAPTURE(body);
    CHECK(codeOf(body) == "malformed_json");
    CHECK(!isJson({body}));
  }
}

TEST_CASE("JSON of any kind is told to be JSON") {
  for (const std::string body : {"{}", "[]", "7", "\"a\"", "true", "null", " [1, {\"a\": -1.5e3}] ",
                                 "-1e999", " 123456789012345678901234567890\n"}) {
    CAPTURE(body);
    CHECK(isJson({body}));
  }
}

TEST_CASE("nesting is bounded, so that a body can't use up the stack") {
  const auto nested = [](size_t depth) {
    return "{\"data\":[[1,2]],\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(codeOf(nested(100)).empty());
  CHECK(codeOf(nested(1000)) == "malformed_json");
  CHECK(codeOf(nested(100000)) == "malformed_json");
  CHECK(!isJson({std::string(100000, '[') + std::string(100000, ']')}));
}

TEST_CASE("several inputs come by name, with as many rows each, and scalars without") {
  const auto request =
      read({R"({"data":{"rate":8,"mask":[true,false],"ids":[[1,2],[3,4]]}})"}, kSeveral);
  REQUIRE_MESSAGE(request.accepted(), request.detail);
  CHECK(request.rows == 2);
  CHECK(request.inputs[0].values<int64_t>() == std::vector<int64_t>{1, 2, 3, 4});
  CHECK(request.inputs[1].values<uint8_t>() == std::vector<uint8_t>{1, 0});
  CHECK(request.inputs[2].values<int32_t>() == std::vector<int32_t>{8});

  CHECK(faultOf(R"({"data":[1]})", kSeveral) ==
        "data: Expected an object with the rows of each input: \"ids\", \"mask\", \"rate\".");
  CHECK(faultOf(R"({"data":{"ids":[[1]],"rate":8}})", kSeveral) ==
        "data.mask: The input is missing; the model takes \"ids\", \"mask\", \"rate\".");
  CHECK(faultOf(R"({"data":{"other":1}})", kSeveral) ==
        "data: The model has no input \"other\"; it takes \"ids\", \"mask\", \"rate\".");
  CHECK(faultOf(R"({"data":{"rate":8,"rate":8}})", kSeveral) ==
        "data.rate: Expected this input once.");
  CHECK(faultOf(R"({"data":{"rate":8,"ids":[[1]],"mask":[true,true]}})", kSeveral) ==
        "data.mask: Expected 1 rows, as many as \"ids\" has, but received 2.");
  CHECK(faultOf(R"({"data":{"rate":[8]}})", kSeveral) ==
        "data.rate: Expected a whole number (int32) but received an array.");
}

TEST_CASE("options name the outputs that are asked for, each once") {
  const auto outputs = [](const std::string& names) {
    return R"({"data":{"rate":8,"ids":[[1]],"mask":[true]},"options":{"note":1,"outputs":)" +
           names + "}}";
  };
  CHECK(read({outputs(R"(["scores","label"])")}, kSeveral).outputs == std::vector<uint32_t>{1, 0});
  CHECK(read({outputs("[]")}, kSeveral).outputs.empty());
  const std::string has = "it has \"label\", \"scores\".";
  CHECK(faultOf(outputs("[\"other\"]"), kSeveral) ==
        "options.outputs: The model has no output \"other\"; " + has);
  CHECK(faultOf(outputs("[1]"), kSeveral) == "options.outputs: Expected names of outputs; " + has);
  CHECK(faultOf(outputs(R"(["label","label"])"), kSeveral) ==
        "options.outputs: Expected each output once, but \"label\" comes twice.");
  CHECK(faultOf(outputs("\"label\""), kSeveral) ==
        "options.outputs: Expected an array of output names, out of \"label\", \"scores\".");
  CHECK(faultOf(R"({"options":1})", kSeveral) == "options: Expected an object.");
}

TEST_CASE("a plugin's body counts as the rows of its data") {
  CHECK(countRows({R"({"data":[1,[2,3],{"a":4}]})"}) == 3);
  CHECK(countRows({R"({"data":[]})"}) == 1);
  CHECK(countRows({R"({"data":"text"})"}) == 1);
  CHECK(countRows({R"({"data":{"rows":[1,2]}})"}) == 1);
  CHECK(countRows({R"({"data":null,"options":{}})"}) == 1);
  CHECK(countRows({"{}"}) == 0);
  CHECK(countRows({"[1]"}) == 0);
  CHECK(countRows({"{\"data\":[1,2"}) == 0);
}
