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

/// From which numbers a row's are. Rows of very different size show what a scale that is taken from
/// the whole batch does to them.
struct Range {
  float centre;
  float width;
};

Range rangeOf(MadeUpRow row) noexcept {
  switch (row) {
    case MadeUpRow::kLarge:
      return {0, 4};
    case MadeUpRow::kZero:
      return {0, 0};
    case MadeUpRow::kLow:
      return {-5, 0.25f};
    case MadeUpRow::kUsual:
      break;
  }
  return {0, 1};
}

uint32_t integerOf(MadeUpRow row, Random& random, uint32_t below) noexcept {
  const uint32_t number = random.below(below);
  if (row == MadeUpRow::kLarge) return below - 1;
  return row == MadeUpRow::kUsual ? number : 0;
}

void pushElement(Tensor& tensor, Random& random, MadeUpRow row, uint32_t integersBelow) {
  const Range range = rangeOf(row);
  const float number = range.centre + (random.unit() * 2 - 1) * range.width;
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
      return tensor.push(static_cast<uint8_t>(integerOf(row, random, 2)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      return tensor.pushText(std::string(1, static_cast<char>('a' + integerOf(row, random, 26))));
    default:
      break;
  }
  const uint32_t whole = integerOf(row, random, integersBelow);
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

protocols::DecodedRequest makeUp(const protocols::Signature& signature,
                                 const std::vector<MadeUpRow>& rows, const MadeUp& way) {
  protocols::DecodedRequest request;
  request.rows = static_cast<uint32_t>(rows.size());
  for (size_t input = 0; input < signature.inputs.size(); ++input) {
    const auto& spec = signature.inputs[input];
    Tensor tensor;
    tensor.type = spec.type;
    tensor.dims = spec.dims;
    if (spec.byRows) tensor.dims[0] = request.rows;
    for (auto& dim : tensor.dims) dim = dim < 0 ? way.openLength : dim;
    const auto push = [&](MadeUpRow row, size_t count) {
      // The same numbers for all rows of a kind.
      Random random(input * 7919 + static_cast<size_t>(row));
      for (size_t i = 0; i < count; ++i) pushElement(tensor, random, row, way.integersBelow);
    };
    if (spec.byRows) {
      for (const MadeUpRow row : rows) push(row, tensor.rowSize());
    } else {
      push(MadeUpRow::kUsual, tensor.elementCount());
    }
    request.inputs.push_back(std::move(tensor));
  }
  return request;
}

}  // namespace cloudeasyml::backends
