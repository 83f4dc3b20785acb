// Answers to predictions: JSON, and binary frames.
#pragma once

#include <string>

#include "protocols/protocol.h"

namespace cloudeasyml::protocols {

/// Writes {"predictions", "metadata", "processingTimeMs"} over `out`. Where a number was no JSON
/// has a form for, "metadata" says so by `"nonFinite": true`.
/// @throws Error runtime_failed where an output has no form in JSON, or does not fit its labels;
/// what the answer's guard throws
void writeJsonAnswer(std::string& out, const Answer& answer);

/// The same as a binary frame, with {"tensors": [{"name", "type", "dims"}…], "metadata",
/// "processingTimeMs"} as its header. Outputs that are no tensors are in the header's
/// "predictions".
void writeBinaryAnswer(std::string& out, const Answer& answer);

}  // namespace cloudeasyml::protocols
