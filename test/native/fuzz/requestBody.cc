// JSON request bodies to tensors, for models of many kinds, against a strict parser's tree.
#include <string>
#include <type_traits>

#include "fuzz/signatures.h"
#include "fuzz/strictJson.h"
#include "fuzz/target.h"
#include "support/halfReference.h"
#include "support/numbers.h"
#include "support/requests.h"

using namespace cloudeasyml::test;

namespace {

/// Well within what the reader allows.
constexpr size_t kDeep = 100;

/// Holds an input's elements against a tree's leaves, in order.
class Comparison {
 public:
  Comparison(const ReadTensor& tensor, ONNXTensorElementDataType type)
      : tensor_(tensor), type_(type) {}

  void compare(simdjson::dom::element element) {
    simdjson::dom::array array;
    if (element.get(array)) return compareLeaf(element);
    for (const auto each : array) compare(each);
  }

  void requireAll() const {
    const bool isText = type_ == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
    REQUIRE(next_ == (isText ? tensor_.strings.size() : tensor_.bytes.size() / elementSize(type_)));
  }

 private:
  template <typename T>
  T element() {
    T value;
    REQUIRE((next_ + 1) * sizeof value <= tensor_.bytes.size());
    std::memcpy(&value, tensor_.bytes.data() + next_ * sizeof value, sizeof value);
    return value;
  }

  template <typename T>
  bool isWhole(simdjson::dom::element leaf) {
    const T value = element<T>();
    if constexpr (std::is_signed_v<T>) {
      int64_t expected;
      return !leaf.get(expected) && expected == value;
    } else {
      uint64_t expected;
      return !leaf.get(expected) && expected == value;
    }
  }

  /// But for a zero's sign, which the tree loses.
  bool isHalf(HalfFormat format, double number) {
    return decodeHalf(format, element<uint16_t>()) ==
           roundToHalf(format, static_cast<float>(number));
  }

  bool isSame(simdjson::dom::element leaf) {
    double number;
    const bool isNumber = !leaf.get(number);
    switch (type_) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
        return isNumber && element<float>() == static_cast<float>(number);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
        return isNumber && element<double>() == number;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
        return isNumber && isHalf(kFloat16, number);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
        return isNumber && isHalf(kBfloat16, number);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
        return isWhole<int8_t>(leaf);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
        return isWhole<int16_t>(leaf);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
        return isWhole<int32_t>(leaf);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
        return isWhole<int64_t>(leaf);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
        return isWhole<uint8_t>(leaf);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
        return isWhole<uint16_t>(leaf);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
        return isWhole<uint32_t>(leaf);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
        return isWhole<uint64_t>(leaf);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL: {
        bool flag;
        return !leaf.get(flag) && element<uint8_t>() == flag;
      }
      default: {
        std::string_view text;
        REQUIRE(next_ < tensor_.strings.size());
        return !leaf.get(text) && tensor_.strings[next_] == text;
      }
    }
  }

  void compareLeaf(simdjson::dom::element leaf) {
    REQUIRE(isSame(leaf));
    ++next_;
  }

  const ReadTensor& tensor_;
  ONNXTensorElementDataType type_;
  size_t next_ = 0;
};

void requireSameValues(const ReadRequest& request, const Signature& signature,
                       const StrictJson& strict) {
  // Lookups by name would compare escaped names as they are written.
  const simdjson::dom::object body = strict.root();
  for (const auto field : body) {
    if (field.key != "data") continue;
    simdjson::dom::array rows;
    REQUIRE(!field.value.get(rows));
    REQUIRE(rows.size() == request.rows);
    Comparison comparison(request.inputs[0], signature.inputs[0].type);
    comparison.compare(field.value);
    comparison.requireAll();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const auto signature = chooseSignature(input);
  const auto behind = input.take<char>();
  const auto text = input.rest();

  static Reader reader;
  const auto request = read({text, false, behind}, signature);
  // What a reader has read before and an earlier body's bytes behind this one change nothing.
  REQUIRE(request == reader.read({text, false, static_cast<char>(~behind)}, signature));

  // A byte order mark is the parser's to pass over, which it does before most kinds of JSON.
  if (isMarked(text)) return 0;
  const StrictJson strict(text);
  const bool deep = nestingOf(text) > kDeep;
  const bool json = isJson({text, false, behind});
  REQUIRE(json ? strict.valid() : !strict.valid() || deep);
  reader.countRows({text, false, behind});

  if (request.accepted()) {
    REQUIRE(strict.valid());
    requireShapes(request, signature);
    if (signature.inputs.size() == 1 && !strict.simplified()) {
      requireSameValues(request, signature, strict);
    }
    return 0;
  }
  // What is JSON is never called malformed, nor the other way round.
  REQUIRE((request.code == "invalid_input" && strict.valid()) ||
          (request.code == "malformed_json" && (!strict.valid() || deep)));
  return 0;
}
