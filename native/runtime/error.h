// The one exception that the engine throws on purpose.
#pragma once

#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "generated/constants.h"

namespace cloudeasyml {

/// A code as clients see it.
constexpr const char* nameOf(ErrorCode code) noexcept {
  return kErrorNames[static_cast<size_t>(code)];
}

/// The code of this name; kInternal where there is none.
inline ErrorCode errorCodeNamed(std::string_view name) noexcept {
  for (size_t i = 0; i < std::size(kErrorNames); ++i) {
    if (name == kErrorNames[i]) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::kInternal;
}

/// A failure with a code and a full sentence for its user.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace cloudeasyml
