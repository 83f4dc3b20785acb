#include "backends/runModel.h"

#include "runtime/run.h"

namespace cloudeasyml::backends {

void ModelRunner::run(runtime::Session& session, const protocols::Signature& signature,
                      const Group& group, const RunRows& rows,
                      const runtime::CancellationToken& token, std::vector<Ort::Value>& outputs) {
  values_.clear();
  inputs_.clear();
  for (size_t i = 0; i < signature.inputs.size(); ++i) {
    values_.push_back(gatherer_.gather(signature.inputs[i], i, group, rows));
    inputs_.push_back(values_.back());
  }
  made_.assign(session.outputNames().size(), nullptr);
  outputs.reserve(outputs.size() + made_.size());
  // Made values are the caller's even where the run fails.
  const auto own = [&] {
    for (OrtValue* value : made_) outputs.emplace_back(value);
    values_.clear();
  };
  try {
    runtime::run(session, token, inputs_, session.outputNames(), made_);
  } catch (...) {
    own();
    throw;
  }
  own();
}

}  // namespace cloudeasyml::backends
