#include <doctest.h>

#include "runtime/ortMessage.h"

using cloudeasyml::runtime::withoutSource;

TEST_CASE("a message without places in the source stays as it is") {
  for (const char* message :
       {"", "Protobuf parsing failed.", "a /onnxruntime/x b", "x was false. y"}) {
    CHECK(withoutSource(message) == message);
  }
}

TEST_CASE("places in the source are left out, with what did not hold there") {
  CHECK(withoutSource("Load failed:/src/onnxruntime/core/graph/model.cc:177 "
                      "onnxruntime::Model::Model(onnx::ModelProto&&, const A*, B<C, D>&) It has no "
                      "graph.\n") == "Load failed:It has no graph.");
  CHECK(withoutSource("Status: /s/onnxruntime/core/x.h:84 ns::Help::Help(const A&, bool) "
                      "size != 0 && (a % b) == 0 was false. It cannot be reshaped. Shape:{1,3}") ==
        "Status: It cannot be reshaped. Shape:{1,3}");
  CHECK(withoutSource("/s/onnxruntime/core/a.cc:1 T f(int) const [with T = U<int, 3>] "
                      "/s/onnxruntime/core/b.cc:2 g()::<lambda(int, X)> why") == "why");
  CHECK(withoutSource("/s/onnxruntime/core/a.cc:12") == "");
  CHECK(withoutSource("/s/onnxruntime/core/a.cc:12 f(int") == "");
}
