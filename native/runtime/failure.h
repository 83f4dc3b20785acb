// Why a request failed, as a value.
#pragma once

#include <string>

#include "generated/constants.h"

namespace cloudeasyml {

/// What a client is told of a failure. It stays a value until a protocol writes it.
struct Failure {
  ErrorCode code = ErrorCode::kInternal;
  /// A full sentence.
  std::string detail;
  /// Where in the request the fault is: `data[3][1]`; empty where it has no place.
  std::string path;
};

}  // namespace cloudeasyml
