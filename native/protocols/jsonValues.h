// What a model gives, as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/value.h"

namespace cloudeasyml::protocols {

/// Writes values as JSON behind a text: tensors as nested arrays, sequences as arrays, maps as
/// objects.
class ValueWriter {
 public:
  explicit ValueWriter(std::string& out) : out_(out) {}

  /// Writes the whole value; a scalar becomes a bare one.
  void writeAll(const Value& value);
  /// Writes row `row` of a tensor's first axis, or value `row` of a sequence.
  void writeRow(const Value& value, size_t row);
  /// Writes row `row` of a tensor of scores as {"label", "score"} of the largest one, or with
  /// `topK` as an array of so many, the largest first.
  void writeLabels(const Value& scores, size_t row, const std::vector<std::string>& labels,
                   uint32_t topK);

  /// Whether a NaN or an infinity was written, as the null that JSON has in their place.
  bool wroteNonFinite() const noexcept { return wroteNonFinite_; }

 private:
  void writeAxis(const Tensor& tensor, size_t axis, size_t& element);
  void writeElements(const Tensor& tensor, size_t from, size_t count);
  template <typename T, typename Write>
  void writeEach(const T* elements, size_t count, Write write);
  void writeFloat(float value);
  void writeDouble(double value);
  void writeMap(const Value& map);

  std::string& out_;
  bool wroteNonFinite_ = false;
};

/// Whether a tensor's elements are numbers with a fraction, as scores are.
bool isFloating(ONNXTensorElementDataType type) noexcept;

/// An element of a tensor that is floating.
double numberAt(const Tensor& tensor, size_t element) noexcept;

}  // namespace cloudeasyml::protocols
