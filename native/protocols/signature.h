// A model as its clients see it: what it takes and gives.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cloudeasyml::protocols {

/// What a model's input takes.
struct InputSpec {
  std::string name;
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  /// One entry per axis; -1 where each request may choose.
  std::vector<int64_t> dims;
  /// The first axis is the batch: a request brings as many rows as it likes, one at least. Else a
  /// request brings the whole tensor.
  bool byRows = true;

  /// One value per row, however the model nests it.
  bool isColumn() const noexcept {
    return byRows && (dims.size() == 1 || (dims.size() == 2 && dims[1] == 1));
  }
};

/// What a model's output gives.
struct OutputSpec {
  std::string name;
  /// It has a row for each row of the inputs. Else it belongs to the whole run.
  bool byRows = true;
  /// Names of the values in a row, the classes of a classifier; empty where they have none.
  std::vector<std::string> labels;
};

/// Rows that one request may bring.
constexpr uint32_t kMostRows = 1 << 20;

struct Signature {
  std::vector<InputSpec> inputs;
  std::vector<OutputSpec> outputs;
  /// JSON text of an object that every answer carries.
  std::string metadata;

  bool hasLabels() const noexcept {
    for (const auto& output : outputs) {
      if (!output.labels.empty()) return true;
    }
    return false;
  }
};

}  // namespace cloudeasyml::protocols
