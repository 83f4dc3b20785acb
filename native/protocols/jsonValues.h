// What a model gives, as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/answerGuard.h"
#include "protocols/value.h"

namespace cloudeasyml::protocols {

/// Writes values as JSON behind a text: tensors as nested arrays, sequences as arrays, maps as
/// objects.
class ValueWriter {
 public:
  /// @param guard is asked every few thousand elements
  ValueWriter(std::string& out, const AnswerGuard& guard) : out_(out), guard_(guard) {}

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
  /// Notes that so many elements or arrays are written next.
  void count(size_t places) {
    unchecked_ += places;
    if (unchecked_ < kCheckedPlaces) return;
    unchecked_ = 0;
    guard_.check(out_.size());
  }
  void writeAxis(const Tensor& tensor, size_t axis, size_t& element);
  void writeParts(const Tensor& tensor, size_t from, size_t length);
  void writeElements(const Tensor& tensor, size_t from, size_t count);
  template <typename T, typename Write>
  void writeEach(const T* elements, size_t count, Write write);
  void writeFloat(float value);
  void writeDouble(double value);
  void writeMap(const Value& map);

  /// Some hundred microseconds of writing.
  static constexpr size_t kCheckedPlaces = 8192;

  std::string& out_;
  const AnswerGuard& guard_;
  /// Since the guard was asked last.
  size_t unchecked_ = 0;
  bool wroteNonFinite_ = false;
};

/// The fewest bytes that a value takes as JSON.
uint64_t leastJsonBytes(const Value& value) noexcept;

/// Whether a tensor's elements are numbers with a fraction, as scores are.
bool isFloating(ONNXTensorElementDataType type) noexcept;

/// An element of a tensor that is floating.
double numberAt(const Tensor& tensor, size_t element) noexcept;

}  // namespace cloudeasyml::protocols
