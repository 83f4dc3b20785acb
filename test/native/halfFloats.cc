#include <doctest.h>

#include <cmath>
#include <limits>

#include "support/halfReference.h"
#include "support/numbers.h"

using namespace cloudeasyml::test;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Whether a 16-bit value survives the way to a float and back.
template <typename To, typename From>
bool survives(uint16_t bits, To to, From from) {
  const float value = from(bits);
  return std::isnan(value) ? std::isnan(from(to(value))) : to(value) == bits;
}

}  // namespace

TEST_CASE("every float16 means what its bits say, and comes back as it was") {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    REQUIRE(isHalfOf(kFloat16, half, fromFloat16(half)));
    REQUIRE(survives(half, toFloat16, fromFloat16));
  }
}

TEST_CASE("every bfloat16 means what its bits say, and comes back as it was") {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    REQUIRE(isHalfOf(kBfloat16, half, fromBfloat16(half)));
    REQUIRE(survives(half, toBfloat16, fromBfloat16));
  }
}

TEST_CASE("a float is rounded to the nearest, between two to the even") {
  CHECK(toFloat16(1.0f) == 0x3C00);
  CHECK(toFloat16(1.0f + 0x1p-11f) == 0x3C00);
  CHECK(toFloat16(1.0f + 0x1p-11f + 0x1p-20f) == 0x3C01);
  CHECK(toFloat16(1.0f + 0x3p-11f) == 0x3C02);
  CHECK(toBfloat16(1.0f + 0x1p-8f) == 0x3F80);
  CHECK(toBfloat16(1.0f + 0x3p-8f) == 0x3F82);
}

TEST_CASE("what is too large becomes infinite, what is too small becomes zero of its sign") {
  CHECK(toFloat16(65504.0f) == 0x7BFF);
  CHECK(toFloat16(65519.996f) == 0x7BFF);
  CHECK(toFloat16(65520.0f) == 0x7C00);
  CHECK(toFloat16(-1e30f) == 0xFC00);
  CHECK(toFloat16(0x1p-24f) == 0x0001);
  CHECK(toFloat16(0x1p-25f) == 0x0000);
  CHECK(toFloat16(-0x1p-26f) == 0x8000);
  CHECK(toBfloat16(std::numeric_limits<float>::max()) == 0x7F80);
  CHECK(toBfloat16(-0.0f) == 0x8000);
}

TEST_CASE("infinities and NaN stay what they are") {
  CHECK(toFloat16(kInfinity) == 0x7C00);
  CHECK(toFloat16(-kInfinity) == 0xFC00);
  CHECK(toBfloat16(kInfinity) == 0x7F80);
  CHECK(std::isnan(fromFloat16(toFloat16(kNan))));
  // Whose lower half alone tells it from infinity.
  CHECK(std::isnan(fromBfloat16(toBfloat16(floatOf(0x7F800001)))));
  CHECK(std::isnan(fromFloat16(toFloat16(floatOf(0xFF800001)))));
}

TEST_CASE("floats near every float16 round as arithmetic does") {
  for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const float value = fromFloat16(static_cast<uint16_t>(bits));
    const float next = fromFloat16(static_cast<uint16_t>(bits + 1));
    const float middle = bits == 0x7BFF ? 65520.0f : value / 2 + next / 2;
    for (const float each : {std::nextafter(middle, -kInfinity), middle,
                             std::nextafter(middle, kInfinity), std::nextafter(value, kInfinity)}) {
      REQUIRE(isHalfOf(kFloat16, toFloat16(each), each));
      REQUIRE(isHalfOf(kFloat16, toFloat16(-each), -each));
    }
  }
}

TEST_CASE("floats of all sizes round to a bfloat16 as arithmetic does") {
  // A prime step meets every pattern of the lower half.
  for (uint64_t bits = 0; bits <= 0xFFFFFFFF; bits += 1009) {
    const float value = floatOf(static_cast<uint32_t>(bits));
    REQUIRE(isHalfOf(kBfloat16, toBfloat16(value), value));
  }
}
