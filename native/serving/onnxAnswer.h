// A request's rows of a run's outputs, as the answer that its client gets.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <string>
#include <vector>

#include "codec/outputTensor.h"
#include "serving/onnxModel.h"

namespace cloudeasyml::serving {

/// The outputs of one Run, which holds `count` rows of a batch from row `from` on.
struct AnswerChunk {
  size_t from;
  size_t count;
  /// Rows that the Run had, those that fill up a fixed batch included.
  size_t padded;
  std::vector<Ort::Value> values;
  std::vector<codec::OutputTensor> outputs;
};

/// A request's rows in its batch.
struct RowRange {
  size_t from;
  size_t count;
};

/// Writes {"predictions", "metadata", "processingTimeMs"} over `out`.
/// @param wanted the outputs that the request names, in its order; empty for all
/// @param elapsedNs shown as milliseconds
void writeJsonAnswer(std::string& out, const OnnxModel& model,
                     const std::vector<AnswerChunk>& chunks, RowRange rows,
                     const std::vector<uint32_t>& wanted, int64_t elapsedNs);

/// The same as a binary frame, with {"tensors": [{"name", "type", "dims"}…], "metadata",
/// "processingTimeMs"} as its header.
void writeBinaryAnswer(std::string& out, const OnnxModel& model,
                       const std::vector<AnswerChunk>& chunks, RowRange rows,
                       const std::vector<uint32_t>& wanted, int64_t elapsedNs);

}  // namespace cloudeasyml::serving
