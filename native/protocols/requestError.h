// A fault in a request's body.
#pragma once

#include <string>
#include <utility>

#include "runtime/error.h"

namespace cloudeasyml::protocols {

/// A fault that the client can mend, with the path of what is wrong: `data[3][1]`, `data.image`.
class RequestError : public Error {
 public:
  RequestError(ErrorCode code, std::string path, const std::string& detail)
      : Error(code, detail), path_(std::move(path)) {}
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace cloudeasyml::protocols
