// What ONNX Runtime says of a failure.
#pragma once

#include <string>

#include <onnxruntime_cxx_api.h>

namespace cloudeasyml::runtime {

/// The message without the places in ONNX Runtime's source that it names: files, lines and C++
/// signatures of the machine that built it.
std::string messageOf(const Ort::Exception& failure);

}  // namespace cloudeasyml::runtime
