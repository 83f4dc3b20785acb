// The one exception that the engine throws on purpose.
#pragma once

#include <stdexcept>
#include <string>

namespace cloudeasyml {

/// A failure with a code from the error table (src/engine/errors.ts) and a full sentence for its
/// user.
class Error : public std::runtime_error {
 public:
  Error(const char* code, const std::string& message) : std::runtime_error(message), code_(code) {}
  /// A string literal, so it outlives the error.
  const char* code() const noexcept { return code_; }

 private:
  const char* code_;
};

}  // namespace cloudeasyml
