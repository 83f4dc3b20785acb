#include "backends/onnxBackend.h"

#include <algorithm>
#include <utility>

#include "backends/onnxContext.h"
#include "backends/trial.h"
#include "protocols/jsonValues.h"
#include "runtime/elementType.h"
#include "runtime/error.h"

namespace cloudeasyml::backends {

namespace {

void requireCarried(ONNXTensorElementDataType type, const std::string& name, const char* what) {
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING || runtime::elementSize(type) > 0) return;
  throw Error(ErrorCode::kModelLoadFailed,
              std::string("The model's ") + what + " \"" + name + "\" is " +
                  runtime::elementTypeName(type) +
                  ", a type that no request or answer carries; serve it from "
                  "a plugin with code.");
}

/// Whether each row of an output may hold one score per label.
bool fitsLabels(const runtime::TensorInfo& output, size_t labels) {
  if (output.kind != runtime::ValueKind::kTensor || !protocols::isFloating(output.type)) {
    return false;
  }
  const auto& dims = output.dims;
  const auto wanted = static_cast<int64_t>(labels);
  if (dims.size() == 1) return dims[0] == wanted;
  return dims.size() == 2 && (dims[1] < 0 || dims[1] == wanted);
}

/// Bytes of a row, where all axes but the first are declared; else 0.
size_t rowBytes(const runtime::TensorInfo& output) {
  if (output.kind != runtime::ValueKind::kTensor || output.dims.empty()) return 0;
  size_t bytes = runtime::elementSize(output.type);
  for (size_t axis = 1; axis < output.dims.size(); ++axis) {
    if (output.dims[axis] < 0) return 0;
    bytes *= static_cast<size_t>(output.dims[axis]);
  }
  return bytes;
}

}  // namespace

OnnxBackend::OnnxBackend(std::shared_ptr<runtime::Session> session, const OnnxOptions& options,
                         runtime::RunRegistry& runs)
    : session_(std::move(session)) {
  contract_ = contractOf(*session_, options.batchAxis, options.maxBatchSize > 0);
  signature_.metadata = options.metadata;
  for (const auto& info : session_->inputs()) {
    requireCarried(info.type, info.name, "input");
    signature_.inputs.push_back({info.name, info.type, info.dims, true});
  }
  for (const auto& info : session_->outputs()) {
    const bool isTensor = info.kind == runtime::ValueKind::kTensor;
    requireCarried(isTensor ? info.type : info.valueType, info.name, "output");
    signature_.outputs.push_back({info.name, true, {}});
  }
  setLabels(options);
  readContract();
  if (contract_.joined && options.batchAxis != BatchAxis::kRows) {
    tryJoining(*session_, signature_, contract_, runs);
    readContract();
  }
  if (contract_.fixedBatch > 0) {
    rowsPerRun_ = static_cast<size_t>(contract_.fixedBatch);
  } else if (contract_.joined) {
    rowsPerRun_ = options.maxBatchSize;
  }
  for (size_t i = 0; i < signature_.outputs.size(); ++i) {
    if (signature_.outputs[i].byRows) declaredRowBytes_ += rowBytes(session_->outputs()[i]);
  }
}

std::unique_ptr<serving::ExecutionContext> OnnxBackend::makeContext() const {
  return std::make_unique<OnnxContext>(*this);
}

void OnnxBackend::readContract() {
  for (size_t i = 0; i < signature_.inputs.size(); ++i) {
    signature_.inputs[i].byRows = contract_.inputsByRows[i];
  }
  for (size_t i = 0; i < signature_.outputs.size(); ++i) {
    signature_.outputs[i].byRows = contract_.outputsByRows[i];
  }
}

void OnnxBackend::setLabels(const OnnxOptions& options) {
  const auto& outputs = session_->outputs();
  for (const auto& [name, labels] : options.labels) {
    std::vector<size_t> fitting;
    bool isKnown = name.empty();
    for (size_t i = 0; i < outputs.size(); ++i) {
      isKnown = isKnown || outputs[i].name == name;
      const bool isMeant = name.empty() || outputs[i].name == name;
      if (isMeant && fitsLabels(outputs[i], labels.size())) fitting.push_back(i);
    }
    if (fitting.size() == 1) {
      signature_.outputs[fitting[0]].labels = labels;
      continue;
    }
    const std::string count = std::to_string(labels.size());
    if (!isKnown) {
      throw Error(ErrorCode::kInvalidInput,
                  "serving.labels names an output \"" + name + "\" that the model does not have.");
    }
    if (fitting.empty()) {
      const std::string who = name.empty() ? std::string("no output of the model gives")
                                           : "the output \"" + name + "\" does not give";
      throw Error(ErrorCode::kInvalidInput, "serving.labels has " + count + " labels, but " + who +
                                                " rows of " + count + " scores.");
    }
    throw Error(ErrorCode::kInvalidInput,
                "serving.labels fits more than one output of the model; name the "
                "output that it belongs to.");
  }
}

}  // namespace cloudeasyml::backends
