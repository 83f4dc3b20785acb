// What a model gives, opened for writing.
#pragma once

#include <cstdint>
#include <vector>

#include "protocols/tensor.h"

namespace cloudeasyml::protocols {

/// One output of a run: a tensor, a sequence of values, or a map.
struct Value {
  enum class Kind : uint8_t { kTensor, kSequence, kMap };

  Kind kind = Kind::kTensor;
  Tensor tensor;
  /// The values of a sequence; of a map two tensors of one axis: its keys and its values.
  std::vector<Value> items;

  /// Rows of the first axis, or values of a sequence; 0 for what has neither.
  size_t rows() const noexcept {
    if (kind == Kind::kSequence) return items.size();
    return kind == Kind::kTensor && !tensor.dims.empty() ? static_cast<size_t>(tensor.dims[0]) : 0;
  }
};

/// The outputs of one run, which holds `count` rows of a batch from row `from` on.
struct Chunk {
  size_t from = 0;
  size_t count = 0;
  std::vector<Value> outputs;
};

/// A request's rows in its batch.
struct RowRange {
  size_t from = 0;
  size_t count = 0;
};

}  // namespace cloudeasyml::protocols
