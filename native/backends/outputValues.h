// ONNX Runtime's values as protocols write them.
#pragma once

#include <onnxruntime_cxx_api.h>

#include "protocols/value.h"

namespace cloudeasyml::backends {

/// Opens an output of a run. Numbers stay where they are: `output` must outlive what is returned.
/// @throws Error runtime_failed for a value that is absent, or of a type that no answer carries
protocols::Value openValue(const Ort::Value& output);

}  // namespace cloudeasyml::backends
