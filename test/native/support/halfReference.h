// The 16-bit floats by arithmetic in doubles, which hold every value of theirs exactly.
#pragma once

#include <cmath>
#include <cstdint>

namespace cloudeasyml::test {

/// A binary floating point type of 16 bits.
struct HalfFormat {
  int mantissaBits;
  int bias;
};

constexpr HalfFormat kFloat16{10, 15};
constexpr HalfFormat kBfloat16{7, 127};

/// The value of a type's bits; NaN and infinities included.
inline double decodeHalf(HalfFormat format, uint16_t bits) {
  const int exponent = (bits & 0x7FFF) >> format.mantissaBits;
  const int mantissa = bits & ((1 << format.mantissaBits) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 0x7FFF >> format.mantissaBits) return mantissa ? NAN : sign * INFINITY;
  // A subnormal has the smallest exponent and no leading one.
  const int whole = exponent == 0 ? mantissa : mantissa + (1 << format.mantissaBits);
  const int scale = (exponent == 0 ? 1 : exponent) - format.bias - format.mantissaBits;
  return sign * std::ldexp(whole, scale);
}

/// The value that a number is rounded to, to nearest even.
inline double roundToHalf(HalfFormat format, double value) {
  if (!std::isfinite(value) || value == 0) return value;
  const int smallest = 1 - format.bias;
  const int exponent = std::max(std::ilogb(value), smallest) - format.mantissaBits;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -exponent)), exponent);
  const double beyond = std::ldexp(1, format.bias + 1);
  return std::abs(rounded) >= beyond ? std::copysign(INFINITY, value) : rounded;
}

/// Whether a conversion gave what arithmetic gives: a NaN for a NaN, else the same value and sign.
inline bool isHalfOf(HalfFormat format, uint16_t bits, double value) {
  const double expected = roundToHalf(format, value);
  const double found = decodeHalf(format, bits);
  if (std::isnan(expected)) return std::isnan(found);
  return found == expected && std::signbit(found) == std::signbit(expected);
}

}  // namespace cloudeasyml::test
