#include "backends/madeUpRows.h"

#include <string>

#include "protocols/half.h"
#include "runtime/elementType.h"

namespace cloudeasyml::backends {

namespace {

using protocols::Tensor;

/// A linear congruential generator (D. E. Knuth's MMIX constants): the same rows at each start.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435761u + 88172645463325252u) {}

  uint32_t next() noexcept {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }
  /// From 0 to 1.
  float unit() noexcept { return static_cast<float>(next() & 0xFFFFFF) / 16777216.0f; }
  uint32_t below(uint32_t limit) noexcept { return next() % limit; }

 private:
  uint64_t state_;
};

/// Rows of very different size show what a scale that is taken from the whole batch does to them.
constexpr float kScales[] = {1.0f, 4.0f, 0.25f};

void pushElement(Tensor& tensor, Random& random, float scale, uint32_t integersBelow) {
  const float number = (random.unit() * 2 - 1) * scale;
  const uint32_t whole = random.below(integersBelow);
  switch (tensor.type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return tensor.push(number);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return tensor.push(static_cast<double>(number));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return tensor.push(protocols::toFloat16(number));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return tensor.push(protocols::toBfloat16(number));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return tensor.push(static_cast<uint8_t>(random.below(2)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      return tensor.pushText(std::string(1, static_cast<char>('a' + random.below(26))));
    default:
      break;
  }
  switch (runtime::elementSize(tensor.type)) {
    case 1:
      return tensor.push(static_cast<uint8_t>(whole));
    case 2:
      return tensor.push(static_cast<uint16_t>(whole));
    case 4:
      return tensor.push(whole);
    default:
      return tensor.push(static_cast<uint64_t>(whole));
  }
}

}  // namespace

const std::vector<MadeUp>& waysToMakeUp() {
  static const std::vector<MadeUp> kWays = {{8, 10}, {8, 2}, {32, 10}, {224, 2},
                                            {1, 10}, {1, 1}, {64, 1}};
  return kWays;
}

protocols::DecodedRequest makeUp(const protocols::Signature& signature, uint32_t rows,
                                 const MadeUp& way, uint32_t seed) {
  protocols::DecodedRequest request;
  request.rows = rows;
  for (size_t input = 0; input < signature.inputs.size(); ++input) {
    const auto& spec = signature.inputs[input];
    Tensor tensor;
    tensor.type = spec.type;
    tensor.dims = spec.dims;
    if (spec.byRows) tensor.dims[0] = rows;
    for (auto& dim : tensor.dims) dim = dim < 0 ? way.openLength : dim;
    const size_t rowSize = spec.byRows ? tensor.rowSize() : tensor.elementCount();
    Random random(input * 7919 + (spec.byRows ? seed + 1 : 0));
    for (uint32_t row = 0; row < (spec.byRows ? rows : 1); ++row) {
      const float scale = spec.byRows ? kScales[(seed + row) % 3] : 1.0f;
      for (size_t i = 0; i < rowSize; ++i) pushElement(tensor, random, scale, way.integersBelow);
    }
    request.inputs.push_back(std::move(tensor));
  }
  return request;
}

}  // namespace cloudeasyml::backends
