#include "runtime/run.h"

#include <string>

#include "runtime/error.h"
#include "runtime/ortMessage.h"

namespace cloudeasyml::runtime {

namespace {

void check(OrtStatus* status, const CancellationToken& token) {
  if (!status) return;
  const Ort::Status failure(status);
  if (token.cancelled()) throw Error(ErrorCode::kCancelled, "The run was cancelled.");
  const bool refused = failure.GetErrorCode() == ORT_INVALID_ARGUMENT;
  throw Error(refused ? ErrorCode::kInvalidInput : ErrorCode::kRuntimeFailed,
              withoutSource(failure.GetErrorMessage()));
}

void runBinding(Session& session, const CancellationToken& token, Ort::IoBinding& binding) {
  binding.SynchronizeInputs();
  check(Ort::GetApi().RunWithBinding(session.ort(), token.options(), binding), token);
  binding.SynchronizeOutputs();
}

void runOnDevice(Session& session, const CancellationToken& token,
                 const std::vector<const OrtValue*>& inputs,
                 const std::vector<const char*>& outputNames, std::vector<OrtValue*>& outputs) {
  const OrtApi& api = Ort::GetApi();
  Ort::IoBinding binding(session.ort());
  for (size_t i = 0; i < inputs.size(); ++i) {
    Ort::ThrowOnError(api.BindInput(binding, session.inputNames()[i], inputs[i]));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    Ort::ThrowOnError(
        outputs[i] ? api.BindOutput(binding, outputNames[i], outputs[i])
                   : api.BindOutputToDevice(binding, outputNames[i], session.memory().pinned()));
  }
  runBinding(session, token, binding);
  auto values = binding.GetOutputValues();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i]) outputs[i] = values[i].release();
  }
}

}  // namespace

void run(Session& session, const CancellationToken& token,
         const std::vector<const OrtValue*>& inputs, const std::vector<const char*>& outputNames,
         std::vector<OrtValue*>& outputs) {
  const auto lock = session.lockDevice();
  if (session.memory().hasDevice()) {
    runOnDevice(session, token, inputs, outputNames, outputs);
    return;
  }
  check(
      Ort::GetApi().Run(session.ort(), token.options(), session.inputNames().data(), inputs.data(),
                        inputs.size(), outputNames.data(), outputNames.size(), outputs.data()),
      token);
}

void run(Session& session, const CancellationToken& token, Ort::IoBinding& binding) {
  const auto lock = session.lockDevice();
  runBinding(session, token, binding);
}

}  // namespace cloudeasyml::runtime
