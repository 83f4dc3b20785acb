// One run of a session.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <vector>

#include "runtime/cancellation.h"
#include "runtime/session.h"

namespace cloudeasyml::runtime {

/// Runs a session on the calling thread, on tensors in the CPU's memory.
///
/// `inputs` has one value per input of the model. `outputs` has one entry per name: a value to
/// write to, or null, which becomes a new value that the caller owns, even where the run fails.
/// Where the session's first provider has memory of its own, new outputs lie in memory that it
/// copies fast.
///
/// Throws Error(kCancelled) where the token stopped it, kInvalidInput where
/// ORT refuses the tensors, kRuntimeFailed for the rest.
void run(Session& session, const CancellationToken& token,
         const std::vector<const OrtValue*>& inputs, const std::vector<const char*>& outputNames,
         std::vector<OrtValue*>& outputs);

/// The same for tensors that have been bound, wherever they lie.
void run(Session& session, const CancellationToken& token, Ort::IoBinding& binding);

}  // namespace cloudeasyml::runtime
