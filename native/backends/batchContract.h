// Which of a model's values are by rows, and whether requests may share a run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generated/constants.h"
#include "runtime/session.h"

namespace cloudeasyml::backends {

/// How requests become runs of a model.
struct BatchContract {
  /// By input, by output: its first axis is the batch. The others belong to a whole run.
  std::vector<bool> inputsByRows;
  std::vector<bool> outputsByRows;
  /// Rows of different requests may share a run, and those of one request may be spread over
  /// several. Else each request is one run.
  bool joined = false;
  /// The length of the batch where the graph fixes it, else 0.
  int64_t fixedBatch = 0;
  /// Nothing is joined, or a trial has shown that joining changes no answer.
  bool verified = false;
  /// A sentence that says what was decided, and why.
  std::string detail;

  /// The shapes leave open whether requests may be joined: a trial must tell.
  bool isUncertain = false;
};

/// Decides by the shapes that a model declares. Where these allow joining, the contract is not
/// verified yet (backends/trial.h).
///
/// @param batches false where serving.maxBatchSize says that the model does not batch
/// @throws Error model_load_failed where the shapes are not what `axis` says
BatchContract contractOf(const runtime::Session& session, BatchAxis axis, bool batches);

}  // namespace cloudeasyml::backends
