// Conversions of the 16-bit floats, against arithmetic in doubles.
#include <cmath>

#include "fuzz/target.h"
#include "support/halfReference.h"
#include "support/numbers.h"

using namespace cloudeasyml::test;

namespace {

void convert(float value) {
  REQUIRE(isHalfOf(kFloat16, toFloat16(value), value));
  REQUIRE(isHalfOf(kBfloat16, toBfloat16(value), value));
}

void decode(uint16_t bits) {
  REQUIRE(isHalfOf(kFloat16, bits, fromFloat16(bits)));
  REQUIRE(isHalfOf(kBfloat16, bits, fromBfloat16(bits)));
  if (!std::isnan(fromFloat16(bits))) REQUIRE(toFloat16(fromFloat16(bits)) == bits);
  if (!std::isnan(fromBfloat16(bits))) REQUIRE(toBfloat16(fromBfloat16(bits)) == bits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  while (!input.empty()) {
    const auto bits = input.take<uint32_t>();
    decode(static_cast<uint16_t>(bits));
    decode(static_cast<uint16_t>(bits >> 16));
    convert(floatOf(bits));
    // Between two values of each type, and next to that.
    for (const uint32_t tie : {bits | 0x8000, bits | 0x1000}) {
      convert(floatOf(tie & ~0xFFFU));
      convert(floatOf((tie & ~0xFFFU) + 1));
      convert(floatOf((tie & ~0xFFFU) - 1));
    }
  }
  return 0;
}
