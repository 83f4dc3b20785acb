// The inputs of a run, out of the rows of several requests.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstddef>
#include <vector>

#include "protocols/protocol.h"
#include "protocols/signature.h"

namespace cloudeasyml::backends {

/// Requests that share runs, in order. Those of their inputs that are not by rows are the same.
using Group = std::vector<const protocols::DecodedRequest*>;

/// The rows of a group that a run takes.
struct RunRows {
  size_t from = 0;
  size_t count = 0;
  /// With those that fill up a fixed batch.
  size_t padded = 0;
};

/// Joins requests' rows into ONNX Runtime's values. One request's rows are not copied.
class InputGatherer {
 public:
  /// @returns an input's value, which is good until the next call for it, and no longer than the
  /// group's requests
  Ort::Value gather(const protocols::InputSpec& spec, size_t input, const Group& group,
                    const RunRows& rows);

  /// Bytes that it holds on to.
  size_t capacity() const noexcept;
  void release() noexcept { std::vector<std::vector<char>>().swap(memory_); }

 private:
  /// By input.
  std::vector<std::vector<char>> memory_;
  Ort::MemoryInfo cpu_ = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
};

}  // namespace cloudeasyml::backends
