// What ONNX Runtime says of a failure.
#pragma once

#include <string>

namespace cloudeasyml::runtime {

/// A message of ONNX Runtime's without the places in its source: files and lines of the machine
/// that built it, C++ signatures, and the conditions that did not hold there.
std::string withoutSource(std::string message);

}  // namespace cloudeasyml::runtime
