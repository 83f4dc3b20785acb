#include "protocols/answers.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "protocols/frame.h"
#include "protocols/jsonText.h"
#include "protocols/jsonValues.h"
#include "runtime/elementType.h"
#include "runtime/error.h"

namespace cloudeasyml::protocols {

namespace {

/// Nanoseconds as milliseconds with three decimals.
void writeMilliseconds(std::string& out, int64_t ns) {
  const int64_t us = ns / 1000;
  writeInteger(out, us / 1000);
  const auto fraction = static_cast<int>(us % 1000);
  const char text[] = {'.', static_cast<char>('0' + fraction / 100),
                       static_cast<char>('0' + fraction / 10 % 10),
                       static_cast<char>('0' + fraction % 10)};
  out.append(text, sizeof text);
}

/// Closes an object with what every answer ends in.
void writeEnd(std::string& out, const Answer& answer, bool hasNonFinite) {
  const auto& metadata = answer.model.metadata;
  out += ",\"metadata\":";
  out += metadata;
  if (hasNonFinite) {
    out.pop_back();
    if (out.back() != '{') out += ',';
    out += "\"nonFinite\":true}";
  }
  out += ",\"processingTimeMs\":";
  writeMilliseconds(out, answer.elapsedNs);
  out += '}';
}

/// Calls visit(value, row, count) for each chunk's part of the request's rows.
template <typename Visit>
void forEachPart(const Answer& answer, size_t output, Visit visit) {
  const auto& [from, count] = answer.rows;
  for (const auto& chunk : answer.chunks) {
    const size_t first = std::max(from, chunk.from);
    const size_t last = std::min(from + count, chunk.from + chunk.count);
    if (first < last) visit(chunk.outputs[output], first - chunk.from, last - first);
  }
}

void requireScores(const OutputSpec& spec, const Value& value) {
  const bool isTensor = value.kind == Value::Kind::kTensor && !value.tensor.dims.empty();
  if (isTensor && isFloating(value.tensor.type) &&
      static_cast<size_t>(value.tensor.dims.back()) == spec.labels.size() &&
      value.tensor.dims.size() <= 2) {
    return;
  }
  throw Error(ErrorCode::kRuntimeFailed,
              "The output \"" + spec.name + "\" does not have a score for each of the " +
                  std::to_string(spec.labels.size()) + " labels that config.yaml names.");
}

/// A request's part of an output, as JSON.
void writeOutput(ValueWriter& writer, std::string& out, const Answer& answer, size_t output) {
  const auto& spec = answer.model.outputs[output];
  const bool hasLabels = !spec.labels.empty();
  const auto& whole = answer.chunks.front().outputs[output];
  if (hasLabels) requireScores(spec, whole);
  const auto writeRow = [&](const Value& value, size_t row) {
    if (hasLabels) {
      writer.writeLabels(value, row, spec.labels, answer.request.topK);
    } else {
      writer.writeRow(value, row);
    }
  };
  if (!spec.byRows) {
    if (!hasLabels) {
      writer.writeAll(whole);
      return;
    }
    if (whole.tensor.dims.size() == 1) {
      writer.writeLabels(whole, 0, spec.labels, answer.request.topK);
      return;
    }
  }
  out += '[';
  bool first = true;
  const auto writeRows = [&](const Value& value, size_t row, size_t count) {
    for (size_t i = row; i < row + count; ++i) {
      if (!first) out += ',';
      first = false;
      writeRow(value, i);
    }
  };
  if (spec.byRows) {
    forEachPart(answer, output, writeRows);
  } else {
    writeRows(whole, 0, whole.rows());
  }
  out += ']';
}

std::vector<uint32_t> outputsOf(const Answer& answer) {
  if (!answer.request.outputs.empty()) return answer.request.outputs;
  std::vector<uint32_t> all(answer.model.outputs.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

/// The fewest bytes that the request's part of an output takes as JSON.
uint64_t leastJsonBytes(const Answer& answer, size_t output) {
  const auto& spec = answer.model.outputs[output];
  if (!spec.labels.empty()) return 0;
  if (!spec.byRows) return leastJsonBytes(answer.chunks.front().outputs[output]);
  uint64_t bytes = 0;
  forEachPart(answer, output, [&](const Value& value, size_t, size_t count) {
    bytes += leastJsonBytes(value) / std::max<uint64_t>(value.rows(), 1) * count;
  });
  return bytes;
}

/// {name: output, …}
void writeNamed(ValueWriter& writer, std::string& out, const Answer& answer,
                const std::vector<uint32_t>& outputs) {
  char before = '{';
  for (const uint32_t output : outputs) {
    out += before;
    writeString(out, answer.model.outputs[output].name);
    out += ':';
    writeOutput(writer, out, answer, output);
    before = ',';
  }
  out += outputs.empty() ? "{}" : "}";
}

void writeDescription(std::string& out, const Answer& answer, size_t output) {
  const auto& spec = answer.model.outputs[output];
  const auto& tensor = answer.chunks.front().outputs[output].tensor;
  out += "{\"name\":";
  writeString(out, spec.name);
  out += ",\"type\":\"";
  out += runtime::elementTypeName(tensor.type);
  out += "\",\"dims\":[";
  for (size_t axis = 0; axis < tensor.dims.size(); ++axis) {
    if (axis > 0) out += ',';
    const bool isBatch = axis == 0 && spec.byRows;
    writeInteger(out, isBatch ? static_cast<int64_t>(answer.rows.count) : tensor.dims[axis]);
  }
  out += "]}";
}

/// Calls visit(tensor, from, count) for the elements of the request's part of these outputs.
template <typename Visit>
void forEachElements(const Answer& answer, const std::vector<uint32_t>& tensors, Visit visit) {
  for (const uint32_t output : tensors) {
    if (answer.model.outputs[output].byRows) {
      forEachPart(answer, output, [&](const Value& value, size_t row, size_t count) {
        const size_t rowSize = value.tensor.rowSize();
        visit(value.tensor, row * rowSize, count * rowSize);
      });
    } else {
      const auto& tensor = answer.chunks.front().outputs[output].tensor;
      visit(tensor, 0, tensor.elementCount());
    }
  }
}

/// Bytes of elements [from, from + count) as writeBytes() has them.
size_t byteLengthOf(const Tensor& tensor, size_t from, size_t count) {
  if (!tensor.isText()) return runtime::elementSize(tensor.type) * count;
  size_t bytes = count * sizeof(uint32_t);
  for (size_t i = from; i < from + count; ++i) bytes += tensor.text(i).size();
  return bytes;
}

/// Appends elements [from, from + count) as protocols/binaryTensors.h has them.
void writeBytes(std::string& out, const Tensor& tensor, size_t from, size_t count) {
  if (!tensor.isText()) {
    const size_t size = runtime::elementSize(tensor.type);
    out.append(tensor.data() + from * size, count * size);
    return;
  }
  for (size_t i = from; i < from + count; ++i) {
    const auto text = tensor.text(i);
    const auto length = static_cast<uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&length), sizeof length);
    out.append(text);
  }
}

}  // namespace

void writeJsonAnswer(std::string& out, const Answer& answer) {
  out.assign("{\"predictions\":");
  ValueWriter writer(out, answer.guard);
  if (answer.guard.isDoubtful(answer.outputBytes)) {
    uint64_t bytes = 0;
    for (const uint32_t output : outputsOf(answer)) bytes += leastJsonBytes(answer, output);
    answer.guard.requireFits(bytes);
  }
  if (answer.model.outputs.size() == 1) {
    writeOutput(writer, out, answer, 0);
  } else {
    writeNamed(writer, out, answer, outputsOf(answer));
  }
  writeEnd(out, answer, writer.wroteNonFinite());
  answer.guard.requireFits(out.size());
}

void writeBinaryAnswer(std::string& out, const Answer& answer) {
  std::vector<uint32_t> tensors;
  std::vector<uint32_t> others;
  for (const uint32_t output : outputsOf(answer)) {
    const auto kind = answer.chunks.front().outputs[output].kind;
    (kind == Value::Kind::kTensor ? tensors : others).push_back(output);
  }
  out.assign(kFrameLengthBytes, '\0');
  out += "{\"tensors\":[";
  for (const uint32_t output : tensors) {
    if (output != tensors.front()) out += ',';
    writeDescription(out, answer, output);
  }
  out += ']';
  ValueWriter writer(out, answer.guard);
  if (!others.empty()) {
    out += ",\"predictions\":";
    writeNamed(writer, out, answer, others);
  }
  writeEnd(out, answer, writer.wroteNonFinite());
  writeFrameLength(out.data(), out.size() - kFrameLengthBytes);
  size_t bytes = out.size();
  forEachElements(answer, tensors, [&](const Tensor& tensor, size_t from, size_t count) {
    bytes += byteLengthOf(tensor, from, count);
  });
  answer.guard.check(bytes);
  out.reserve(bytes);
  forEachElements(answer, tensors, [&](const Tensor& tensor, size_t from, size_t count) {
    writeBytes(out, tensor, from, count);
  });
}

}  // namespace cloudeasyml::protocols
