// Half floats and JSON text as the tests and fuzz targets write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/half.h"
#include "codec/jsonText.h"

namespace cloudeasyml::test {

using codec::fromBfloat16;
using codec::fromFloat16;
using codec::toBfloat16;
using codec::toFloat16;

/// A number's bits, so that zeros of both signs and NaNs can be compared.
inline uint32_t bitsOf(float value) { return codec::bitsOf(value); }
inline float floatOf(uint32_t bits) { return codec::floatOf(bits); }

inline std::string jsonString(std::string_view text) {
  std::string out;
  codec::writeString(out, text);
  return out;
}

inline std::string textOf(float value) {
  std::string out;
  codec::writeFloat(out, value);
  return out;
}

inline std::string textOf(double value) {
  std::string out;
  codec::writeDouble(out, value);
  return out;
}

inline std::string textOf(int64_t value) {
  std::string out;
  codec::writeInteger(out, value);
  return out;
}

inline std::string textOf(uint64_t value) {
  std::string out;
  codec::writeUnsigned(out, value);
  return out;
}

inline std::string failureText(const char* code, std::string_view detail, std::string_view path) {
  std::string out;
  codec::writeFailure(out, code, detail, path);
  return out;
}

}  // namespace cloudeasyml::test
