// One thread's way of running one session again and again.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bindings/addonData.h"
#include "bindings/tensorValues.h"
#include "runtime/session.h"

namespace cloudeasyml::bindings {

/// Keeps what `OrtApi::Run` takes between one call and the next. Each input and each requested
/// output is a slot that holds an ORT value over the frame or over the caller's memory; a slot
/// whose place and shape stay the same isn't touched again, so a call on small tensors is `Run` and
/// little else.
class Runner {
 public:
  /// `data` must outlive the runner's calls, not the runner.
  Runner(AddonData& data, std::shared_ptr<runtime::Session> session);

  /// Asks for these outputs, by their place in the model, and forgets what outputs were bound to.
  void select(std::vector<size_t> outputs);

  /// Names the value that a run takes at `slot`, an input's place in the model.
  void bindInput(size_t slot, Ort::Value value);
  /// Has the run write to `value` at `slot`, a place in the selection.
  void bindOutput(size_t slot, Ort::Value value);
  /// The same for the next run alone.
  void lendOutput(size_t slot, Ort::Value value);
  /// A tensor over the frame's bytes from `offset`.
  Ort::Value inFrame(size_t offset, const Dims& dims, const runtime::TensorInfo& info) const;

  /// Runs. Then the frame's header has, for each output that is bound to nothing, where its bytes
  /// lie in the frame (TensorPlace::kElsewhere: take() it), its rank and its dims.
  void run();

  /// Takes an output that was too large for the frame.
  Ort::Value take(size_t slot);

  /// Releases the session; every later call throws Error(kRuntimeFailed).
  void close() noexcept;

  const runtime::TensorInfo& inputInfo(size_t slot) const;
  const runtime::TensorInfo& outputInfo(size_t slot) const;
  const std::shared_ptr<runtime::Session>& session() const;

 private:
  void report();
  void takeBackLent() noexcept;

  AddonData& data_;
  std::shared_ptr<runtime::Session> session_;
  const OrtApi& api_;

  std::vector<Ort::Value> inputs_;
  std::vector<const OrtValue*> rawInputs_;
  std::vector<size_t> selection_;
  std::vector<const char*> outputNames_;
  // Bound outputs; those that hold nothing are ORT's to allocate.
  std::vector<Ort::Value> outputs_;
  std::vector<OrtValue*> rawOutputs_;
  /// Slots whose output is bound for one run.
  std::vector<size_t> lent_;
  // Outputs that ORT allocated in the last run.
  std::vector<Ort::Value> produced_;
};

}  // namespace cloudeasyml::bindings
