// Half floats and JSON text as the tests and fuzz targets write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/half.h"
#include "protocols/jsonText.h"
#include "runtime/error.h"

namespace cloudeasyml::test {

using protocols::fromBfloat16;
using protocols::fromFloat16;
using protocols::toBfloat16;
using protocols::toFloat16;

/// A number's bits, so that zeros of both signs and NaNs can be compared.
inline uint32_t bitsOf(float value) { return protocols::bitsOf(value); }
inline float floatOf(uint32_t bits) { return protocols::floatOf(bits); }

inline std::string jsonString(std::string_view text) {
  std::string out;
  protocols::writeString(out, text);
  return out;
}

inline std::string textOf(float value) {
  std::string out;
  protocols::writeFloat(out, value);
  return out;
}

inline std::string textOf(double value) {
  std::string out;
  protocols::writeDouble(out, value);
  return out;
}

inline std::string textOf(int64_t value) {
  std::string out;
  protocols::writeInteger(out, value);
  return out;
}

inline std::string textOf(uint64_t value) {
  std::string out;
  protocols::writeUnsigned(out, value);
  return out;
}

inline std::string failureText(const char* code, std::string_view detail, std::string_view path) {
  std::string out;
  protocols::writeFailure(out, errorCodeNamed(code), detail, path);
  return out;
}

}  // namespace cloudeasyml::test
