#include "serving/onnxAnswer.h"

#include <algorithm>
#include <numeric>

#include "codec/frame.h"
#include "codec/jsonText.h"
#include "runtime/elementType.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

namespace {

void writeMilliseconds(std::string& out, int64_t ns) {
  const int64_t us = ns / kMicrosecond;
  codec::writeInteger(out, us / 1000);
  const auto fraction = static_cast<int>(us % 1000);
  const char text[] = {'.', static_cast<char>('0' + fraction / 100),
                       static_cast<char>('0' + fraction / 10 % 10),
                       static_cast<char>('0' + fraction % 10)};
  out.append(text, sizeof text);
}

/// Closes an object with what every answer ends in.
void writeEnd(std::string& out, const OnnxModel& model, int64_t elapsedNs) {
  out += ",\"metadata\":";
  out += model.metadata();
  out += ",\"processingTimeMs\":";
  writeMilliseconds(out, elapsedNs);
  out += '}';
}

/// Whether an output has a row for each row of the batch; else it belongs to the whole run.
bool isByRows(const std::vector<AnswerChunk>& chunks, size_t output) {
  const auto& dims = chunks.front().outputs[output].dims();
  return !dims.empty() && dims[0] == static_cast<int64_t>(chunks.front().padded);
}

/// Calls visit(tensor, row, count) for each chunk's part of the rows.
template <typename Visit>
void forEachPart(const std::vector<AnswerChunk>& chunks, size_t output, RowRange rows,
                 Visit visit) {
  for (const auto& chunk : chunks) {
    const size_t first = std::max(rows.from, chunk.from);
    const size_t last = std::min(rows.from + rows.count, chunk.from + chunk.count);
    if (first < last) visit(chunk.outputs[output], first - chunk.from, last - first);
  }
}

void writeOutput(std::string& out, const std::vector<AnswerChunk>& chunks, size_t output,
                 RowRange rows) {
  if (!isByRows(chunks, output)) {
    chunks.front().outputs[output].writeAll(out);
    return;
  }
  out += '[';
  bool first = true;
  forEachPart(chunks, output, rows, [&](const auto& tensor, size_t row, size_t count) {
    for (size_t i = row; i < row + count; ++i) {
      if (!first) out += ',';
      first = false;
      tensor.writeRow(out, i);
    }
  });
  out += ']';
}

void writeDescription(std::string& out, const std::string& name,
                      const std::vector<AnswerChunk>& chunks, size_t output, RowRange rows) {
  const auto& tensor = chunks.front().outputs[output];
  auto dims = tensor.dims();
  if (isByRows(chunks, output)) dims[0] = static_cast<int64_t>(rows.count);
  out += "{\"name\":";
  codec::writeString(out, name);
  out += ",\"type\":\"";
  out += runtime::elementTypeName(tensor.type());
  out += "\",\"dims\":[";
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (axis > 0) out += ',';
    codec::writeInteger(out, dims[axis]);
  }
  out += "]}";
}

std::vector<uint32_t> outputsOf(const OnnxModel& model, const std::vector<uint32_t>& wanted) {
  if (!wanted.empty()) return wanted;
  std::vector<uint32_t> all(model.outputNames().size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

}  // namespace

void writeJsonAnswer(std::string& out, const OnnxModel& model,
                     const std::vector<AnswerChunk>& chunks, RowRange rows,
                     const std::vector<uint32_t>& wanted, int64_t elapsedNs) {
  out.assign("{\"predictions\":");
  if (model.outputNames().size() == 1) {
    writeOutput(out, chunks, 0, rows);
  } else {
    char before = '{';
    for (const uint32_t output : outputsOf(model, wanted)) {
      out += before;
      codec::writeString(out, model.outputNames()[output]);
      out += ':';
      writeOutput(out, chunks, output, rows);
      before = ',';
    }
    out += '}';
  }
  writeEnd(out, model, elapsedNs);
}

void writeBinaryAnswer(std::string& out, const OnnxModel& model,
                       const std::vector<AnswerChunk>& chunks, RowRange rows,
                       const std::vector<uint32_t>& wanted, int64_t elapsedNs) {
  const auto outputs = outputsOf(model, wanted);
  out.assign(BinaryFrame::kLengthBytes, '\0');
  out += "{\"tensors\":";
  char before = '[';
  for (const uint32_t output : outputs) {
    out += before;
    writeDescription(out, model.outputNames()[output], chunks, output, rows);
    before = ',';
  }
  out += ']';
  writeEnd(out, model, elapsedNs);
  const size_t length = out.size() - BinaryFrame::kLengthBytes;
  for (size_t i = 0; i < BinaryFrame::kLengthBytes; ++i) {
    out[i] = static_cast<char>(length >> (8 * i) & 0xFF);
  }
  for (const uint32_t output : outputs) {
    if (!isByRows(chunks, output)) {
      const auto& tensor = chunks.front().outputs[output];
      const auto& dims = tensor.dims();
      tensor.writeBytes(out, 0, dims.empty() ? 1 : static_cast<size_t>(dims[0]) * tensor.rowSize());
      continue;
    }
    forEachPart(chunks, output, rows, [&](const auto& tensor, size_t row, size_t count) {
      tensor.writeBytes(out, row * tensor.rowSize(), count * tensor.rowSize());
    });
  }
}

}  // namespace cloudeasyml::serving
