#include "backends/runModel.h"

#include "runtime/run.h"

namespace cloudeasyml::backends {

std::vector<Ort::Value> runModel(runtime::Session& session, const protocols::Signature& signature,
                                 const Group& group, const RunRows& rows, InputGatherer& gatherer,
                                 const runtime::CancellationToken& token) {
  std::vector<Ort::Value> values;
  values.reserve(signature.inputs.size());
  for (size_t i = 0; i < signature.inputs.size(); ++i) {
    values.push_back(gatherer.gather(signature.inputs[i], i, group, rows));
  }
  const std::vector<const OrtValue*> inputs(values.begin(), values.end());
  std::vector<OrtValue*> made(session.outputNames().size(), nullptr);
  std::vector<Ort::Value> outputs;
  outputs.reserve(made.size());
  // Made values are the caller's even where the run fails.
  const auto own = [&] {
    for (OrtValue* value : made) outputs.emplace_back(value);
  };
  try {
    runtime::run(session, token, inputs, session.outputNames(), made);
  } catch (...) {
    own();
    throw;
  }
  own();
  return outputs;
}

}  // namespace cloudeasyml::backends
