// Writing JSON text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "generated/constants.h"

namespace cloudeasyml::protocols {

/// Appends a quoted and escaped JSON string; invalid UTF-8 is replaced by U+FFFD.
void writeString(std::string& out, std::string_view text);

/// Appends the shortest text that reads back as the same number; null for NaN and infinities, which
/// JSON does not have.
void writeFloat(std::string& out, float value);
void writeDouble(std::string& out, double value);
void writeInteger(std::string& out, int64_t value);
void writeUnsigned(std::string& out, uint64_t value);

/// Writes {"code", "detail", "path"?} over `out`.
void writeFailure(std::string& out, ErrorCode code, std::string_view detail, std::string_view path);

}  // namespace cloudeasyml::protocols
