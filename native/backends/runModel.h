// Runs of a model on the rows of groups of requests.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <vector>

#include "backends/inputValues.h"
#include "protocols/signature.h"
#include "runtime/cancellation.h"
#include "runtime/session.h"

namespace cloudeasyml::backends {

/// Keeps from run to run what a run needs, so that it costs no allocations. Used by one thread at a
/// time.
class ModelRunner {
 public:
  /// Runs on the rows of a group, and appends the outputs in the model's order.
  /// @throws Error cancelled, invalid_input where ONNX Runtime refuses the tensors, runtime_failed
  void run(runtime::Session& session, const protocols::Signature& signature, const Group& group,
           const RunRows& rows, const runtime::CancellationToken& token,
           std::vector<Ort::Value>& outputs);

  /// Bytes that it holds on to.
  size_t capacity() const noexcept { return gatherer_.capacity(); }
  void release() noexcept { gatherer_.release(); }

 private:
  InputGatherer gatherer_;
  std::vector<Ort::Value> values_;
  std::vector<const OrtValue*> inputs_;
  std::vector<OrtValue*> made_;
};

}  // namespace cloudeasyml::backends
