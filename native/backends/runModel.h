// One run of a model on the rows of a group of requests.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <vector>

#include "backends/inputValues.h"
#include "protocols/signature.h"
#include "runtime/cancellation.h"
#include "runtime/session.h"

namespace cloudeasyml::backends {

/// @returns the outputs in the model's order
/// @throws Error cancelled, invalid_input where ONNX Runtime refuses the tensors, runtime_failed
std::vector<Ort::Value> runModel(runtime::Session& session, const protocols::Signature& signature,
                                 const Group& group, const RunRows& rows, InputGatherer& gatherer,
                                 const runtime::CancellationToken& token);

}  // namespace cloudeasyml::backends
