#include "backends/batchContract.h"

#include <algorithm>
#include <optional>

#include "runtime/error.h"

namespace cloudeasyml::backends {

namespace {

using runtime::TensorInfo;
using runtime::ValueKind;

bool hasFirstAxis(const TensorInfo& info) {
  return info.kind == ValueKind::kTensor && !info.dims.empty();
}

std::string firstName(const TensorInfo& info) {
  return info.dimNames.empty() ? std::string() : info.dimNames[0];
}

bool isSequence(const TensorInfo& info) {
  return info.kind == ValueKind::kSequenceOfTensors || info.kind == ValueKind::kSequenceOfMaps;
}

/// Whether an axis but the first has this name.
bool hasLater(const TensorInfo& info, const std::string& name) {
  return !info.dimNames.empty() &&
         std::find(info.dimNames.begin() + 1, info.dimNames.end(), name) != info.dimNames.end();
}

bool hasOpenAxis(const TensorInfo& info) {
  return std::any_of(info.dims.begin(), info.dims.end(), [](int64_t dim) { return dim < 0; });
}

BatchContract whole(const runtime::Session& session, std::string why) {
  BatchContract contract;
  contract.inputsByRows.assign(session.inputs().size(), false);
  contract.outputsByRows.assign(session.outputs().size(), false);
  contract.verified = true;
  contract.detail = "Each request is one run on whole tensors: " + std::move(why);
  return contract;
}

/// The one length of all inputs' first axes, where that is fixed.
std::optional<int64_t> fixedLength(const std::vector<TensorInfo>& inputs) {
  std::optional<int64_t> length;
  for (const auto& info : inputs) {
    if (!hasFirstAxis(info)) continue;
    if (info.dims[0] <= 0 || (length && *length != info.dims[0])) return std::nullopt;
    length = info.dims[0];
  }
  return length;
}

BatchContract fixedRows(const runtime::Session& session, int64_t length) {
  BatchContract contract;
  contract.fixedBatch = length;
  for (const auto& info : session.inputs()) contract.inputsByRows.push_back(hasFirstAxis(info));
  for (const auto& info : session.outputs()) {
    const bool isDeclared = hasFirstAxis(info) && info.dims[0] == length;
    const bool isOpen = (hasFirstAxis(info) && info.dims[0] < 0) || isSequence(info);
    if (!isDeclared && !isOpen) {
      return whole(session, "its output \"" + info.name +
                                "\" does not have a row for each row of the fixed batch.");
    }
    contract.outputsByRows.push_back(true);
    contract.isUncertain = contract.isUncertain || isOpen;
  }
  contract.joined = length > 1;
  contract.verified = length == 1;
  contract.detail = length == 1 ? "Rows are run one by one: the model's batch is fixed at one row."
                                : "Requests are joined into batches of the model's fixed length.";
  return contract;
}

/// A model whose inputs and outputs all have a first axis of one: a batch of one row.
bool hasBatchOfOne(const runtime::Session& session) {
  const auto isOne = [](const TensorInfo& info) { return hasFirstAxis(info) && info.dims[0] == 1; };
  const auto& inputs = session.inputs();
  const auto& outputs = session.outputs();
  return fixedLength(inputs) == 1 && std::all_of(outputs.begin(), outputs.end(), isOne) &&
         std::all_of(inputs.begin(), inputs.end(), [](const TensorInfo& info) {
           return info.dims.empty() || info.dims.size() > 1;
         });
}

BatchContract rowsAsTold(const runtime::Session& session) {
  if (const auto length = fixedLength(session.inputs())) return fixedRows(session, *length);
  BatchContract contract;
  contract.joined = true;
  for (const auto& info : session.inputs()) contract.inputsByRows.push_back(hasFirstAxis(info));
  for (const auto& info : session.outputs()) {
    contract.outputsByRows.push_back(hasFirstAxis(info) || isSequence(info));
  }
  contract.detail = "Requests are joined because serving.batchAxis says so.";
  return contract;
}

/// What the open first axes of a model's inputs are called.
struct BatchName {
  /// "" where none has a name.
  std::string name;
  bool isNamedEverywhere = true;
  bool differs = false;
};

BatchName batchNameOf(const std::vector<TensorInfo>& inputs) {
  BatchName found;
  for (const auto& info : inputs) {
    if (!hasFirstAxis(info) || info.dims[0] >= 0) continue;
    const auto name = firstName(info);
    if (name.empty()) {
      found.isNamedEverywhere = false;
    } else if (found.name.empty()) {
      found.name = name;
    } else if (found.name != name) {
      found.differs = true;
    }
  }
  return found;
}

BatchContract openRows(const runtime::Session& session) {
  const auto& inputs = session.inputs();
  const auto& outputs = session.outputs();
  const BatchName batch = batchNameOf(inputs);
  if (batch.differs) return whole(session, "its inputs' first axes have different names.");

  BatchContract contract;
  contract.isUncertain = !batch.isNamedEverywhere;
  for (const auto& info : inputs) {
    const bool byRows = hasFirstAxis(info) && info.dims[0] < 0;
    const bool elsewhere = !batch.name.empty() && hasLater(info, batch.name);
    // Without a name any open axis of an input whose first is fixed may be the batch.
    if (elsewhere || (!byRows && batch.name.empty() && hasOpenAxis(info))) {
      return whole(session, "the batch is not the first axis of its input \"" + info.name + "\".");
    }
    contract.inputsByRows.push_back(byRows);
  }
  std::string apart;
  for (const auto& info : outputs) {
    if (!batch.name.empty() && hasLater(info, batch.name)) {
      return whole(session, "the batch is not the first axis of its output \"" + info.name + "\".");
    }
    const bool isOpen = (hasFirstAxis(info) && info.dims[0] < 0) || isSequence(info);
    const bool isDeclared =
        hasFirstAxis(info) && !batch.name.empty() && firstName(info) == batch.name;
    if (!isOpen && apart.empty()) apart = info.name;
    contract.outputsByRows.push_back(isOpen);
    contract.isUncertain = contract.isUncertain || !isDeclared;
  }
  if (!apart.empty()) {
    contract.verified = true;
    contract.detail = "Each request is one run: the output \"" + apart +
                      "\" does not have a row for each row of the inputs.";
    return contract;
  }
  contract.joined = true;
  contract.detail = "Requests are joined: the model's shapes say that the first axis is the batch.";
  return contract;
}

void requireCarried(const runtime::Session& session) {
  for (const auto& info : session.inputs()) {
    if (info.kind == ValueKind::kTensor) continue;
    throw Error(ErrorCode::kModelLoadFailed,
                "The model's input \"" + info.name + "\" is " + runtime::describeType(info) +
                    ", not a tensor; serve it from a plugin with code.");
  }
  for (const auto& info : session.outputs()) {
    if (info.kind != ValueKind::kOptional && info.kind != ValueKind::kOther) continue;
    throw Error(ErrorCode::kModelLoadFailed,
                "The model's output \"" + info.name + "\" is of the type " +
                    runtime::describeType(info) +
                    ", which no answer carries; serve it from a plugin with "
                    "code.");
  }
}

}  // namespace

BatchContract contractOf(const runtime::Session& session, BatchAxis axis, bool batches) {
  requireCarried(session);
  const auto& inputs = session.inputs();
  if (!batches) return whole(session, "serving.maxBatchSize is 0.");
  const bool anyAxis = std::any_of(inputs.begin(), inputs.end(), hasFirstAxis);
  const bool anyOpen = std::any_of(inputs.begin(), inputs.end(), [](const TensorInfo& info) {
    return hasFirstAxis(info) && info.dims[0] < 0;
  });
  if (axis != BatchAxis::kAuto && !anyAxis) {
    throw Error(ErrorCode::kModelLoadFailed,
                "serving.batchAxis names a batch, but no input of the model has an axis.");
  }
  if (axis == BatchAxis::kRows) return rowsAsTold(session);
  if (axis == BatchAxis::kFixed && !anyOpen) {
    const auto length = fixedLength(inputs);
    if (length) return fixedRows(session, *length);
    throw Error(ErrorCode::kModelLoadFailed,
                "serving.batchAxis is fixed, but the first axes of the model's inputs have "
                "different lengths.");
  }
  if (!anyAxis) return whole(session, "no input has an axis that could be the batch.");
  if (anyOpen) return openRows(session);
  if (hasBatchOfOne(session)) return fixedRows(session, 1);
  return whole(session,
               "the first axes of its inputs are fixed. If they are the batch, set "
               "serving.batchAxis to fixed.");
}

}  // namespace cloudeasyml::backends
