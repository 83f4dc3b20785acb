#include "serving/onnxRunner.h"

#include <algorithm>
#include <cstring>

#include "codec/requestError.h"
#include "runtime/elementType.h"
#include "runtime/run.h"
#include "serving/channel.h"
#include "serving/onnxAnswer.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

void OnnxRunner::read(const OnnxModel& model, Request& request) {
  if (count_ == parsed_.size()) parsed_.push_back(std::make_unique<codec::ParsedRequest>());
  reader_.read({request.body, request.binary}, model.inputs(), model.outputNames(),
               *parsed_[count_]);
  request.rows = parsed_[count_]->rows;
  ++count_;
}

bool OnnxRunner::joinable(size_t a, size_t b, const OnnxModel& model) const {
  for (size_t i = 0; i < model.inputs().size(); ++i) {
    const auto& left = parsed_[a]->inputs[i];
    const auto& right = parsed_[b]->inputs[i];
    if (left.rowDims != right.rowDims) return false;
    if (model.inputs()[i].batched) continue;
    if (left.used != right.used || left.strings != right.strings) return false;
    if (std::memcmp(left.bytes.data(), right.bytes.data(), left.used) != 0) return false;
  }
  return true;
}

void OnnxRunner::run(const Batch& batch, const runtime::CancellationToken& token) {
  const auto& model = *batch.deployment->model;
  std::vector<Group> groups;
  for (size_t i = 0; i < count_; ++i) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& each) {
      return joinable(each.front(), i, model);
    });
    if (group == groups.end()) {
      groups.push_back({i});
    } else {
      group->push_back(i);
    }
  }
  const auto fail = [&](const Group& group, ErrorCode code, const char* detail) {
    for (const size_t i : group) {
      auto* request = batch.requests[i];
      request->channel->fail(request, code, detail);
    }
  };
  const auto attempt = [&](const Group& group, bool last) {
    try {
      runGroup(batch, group, token);
      return true;
    } catch (const Error& error) {
      // A worker will start it again.
      if (batch.isInline && token.cancelled()) return true;
      if (last) fail(group, error.code(), error.what());
    } catch (const std::exception& error) {
      if (last) fail(group, ErrorCode::kRuntimeFailed, error.what());
    }
    return false;
  };
  for (const auto& group : groups) {
    if (attempt(group, group.size() == 1)) continue;
    if (group.size() == 1) continue;
    for (const size_t i : group) {
      if (!batch.requests[i]->done.load(std::memory_order_acquire)) attempt({i}, true);
    }
  }
  count_ = 0;
}

void OnnxRunner::runGroup(const Batch& batch, const Group& group,
                          const runtime::CancellationToken& token) {
  const auto& model = *batch.deployment->model;
  size_t rows = 0;
  for (const size_t i : group) rows += parsed_[i]->rows;
  const auto fixed = static_cast<size_t>(model.fixedBatch());
  const size_t limit = fixed > 0 ? fixed : batch.deployment->limits.maxBatchSize;

  const int64_t runsAtNs = nowNs();
  std::vector<AnswerChunk> chunks;
  for (size_t from = 0; from < rows; from += limit) {
    AnswerChunk chunk;
    chunk.from = from;
    chunk.count = std::min(limit, rows - from);
    chunk.padded = fixed > 0 ? fixed : chunk.count;
    chunk.values = runRows(model, group, from, chunk.count, chunk.padded, token);
    chunk.outputs.reserve(chunk.values.size());
    for (const auto& value : chunk.values) chunk.outputs.emplace_back(value);
    chunks.push_back(std::move(chunk));
  }

  // An output without the batch axis belongs to whoever ran alone.
  const bool alone = group.size() == 1 && chunks.size() == 1;
  const size_t outputs = model.outputNames().size();
  for (size_t output = 0; output < outputs && !alone; ++output) {
    for (const auto& chunk : chunks) {
      const auto& dims = chunk.outputs[output].dims();
      if (!dims.empty() && dims[0] == static_cast<int64_t>(chunk.padded)) continue;
      throw Error(
          ErrorCode::kRuntimeFailed,
          "The model's output \"" + model.outputNames()[output] +
              "\" does not have a row "
              "for each of the batch's " +
              std::to_string(chunk.padded) +
              " rows. Send one row per request and set serving.maxBatchSize to 1, or serve the "
              "model from a plugin with code.");
    }
  }

  const int64_t elapsed = nowNs() - batch.startNs;
  size_t from = 0;
  for (const size_t i : group) {
    auto* request = batch.requests[i];
    const size_t count = parsed_[i]->rows;
    const size_t first = from;
    from += count;
    if (!request->claim()) continue;
    const RowRange rows{first, count};
    if (request->wantsBinary) {
      writeBinaryAnswer(request->answer, model, chunks, rows, parsed_[i]->outputs, elapsed);
      request->binaryAnswer = true;
    } else {
      writeJsonAnswer(request->answer, model, chunks, rows, parsed_[i]->outputs, elapsed);
    }
    request->processingNs = elapsed;
    request->batchNs = runsAtNs - batch.startNs;
    request->channel->complete(request);
  }
}

std::vector<Ort::Value> OnnxRunner::runRows(const OnnxModel& model, const Group& group, size_t from,
                                            size_t count, size_t padded,
                                            const runtime::CancellationToken& token) {
  const auto& specs = model.inputs();
  gathered_.resize(std::max(gathered_.size(), specs.size()));
  std::vector<Ort::Value> values;
  values.reserve(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    values.push_back(inputValue(model, i, group, from, count, padded, gathered_[i]));
  }
  std::vector<const OrtValue*> inputs(values.begin(), values.end());
  auto& session = model.session();
  std::vector<OrtValue*> made(session.outputNames().size(), nullptr);
  std::vector<Ort::Value> outputs;
  outputs.reserve(made.size());
  // Made values are the caller's even where the run fails.
  const auto own = [&] {
    for (OrtValue* value : made) outputs.emplace_back(value);
  };
  try {
    runtime::run(session, token, inputs, session.outputNames(), made);
  } catch (...) {
    own();
    throw;
  }
  own();
  return outputs;
}

Ort::Value OnnxRunner::inputValue(const OnnxModel& model, size_t input, const Group& group,
                                  size_t from, size_t count, size_t padded,
                                  std::vector<char>& memory) const {
  const auto& spec = model.inputs()[input];
  const auto& first = parsed_[group.front()]->inputs[input];
  std::vector<int64_t> dims = first.rowDims;
  size_t rowSize = 1;
  for (const int64_t length : dims) rowSize *= static_cast<size_t>(length);
  if (spec.batched) {
    dims.insert(dims.begin(), static_cast<int64_t>(padded));
  } else {
    from = 0;
    count = padded = 1;
  }

  // Calls visit(tensor, row, n) for each request's share of the rows [from, from + count).
  const auto gather = [&](auto visit) {
    size_t start = 0;
    for (const size_t i : group) {
      const auto& tensor = parsed_[i]->inputs[input];
      const size_t begin = std::max(from, start);
      const size_t end = std::min(from + count, start + tensor.rows);
      if (begin < end) visit(tensor, begin - start, end - begin);
      start += tensor.rows;
      if (!spec.batched) return;
    }
  };

  if (spec.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    std::vector<const char*> texts;
    texts.reserve(padded * rowSize);
    gather([&](const codec::RowTensor& tensor, size_t row, size_t n) {
      for (size_t k = row * rowSize; k < (row + n) * rowSize; ++k) {
        texts.push_back(tensor.strings[k].c_str());
      }
    });
    texts.resize(padded * rowSize, "");
    Ort::AllocatorWithDefaultOptions allocator;
    auto value = Ort::Value::CreateTensor(allocator, dims.data(), dims.size(), spec.type);
    value.FillStringTensor(texts.data(), texts.size());
    return value;
  }

  const size_t rowBytes = rowSize * runtime::elementSize(spec.type);
  const size_t bytes = padded * rowBytes;
  // One request's rows are where they were read; several are gathered.
  const bool inPlace = count == padded && (group.size() == 1 || !spec.batched);
  void* data;
  if (inPlace) {
    data = const_cast<char*>(first.bytes.data()) + from * rowBytes;
  } else {
    memory.resize(std::max(memory.size(), bytes));
    size_t at = 0;
    gather([&](const codec::RowTensor& tensor, size_t row, size_t n) {
      std::memcpy(memory.data() + at, tensor.bytes.data() + row * rowBytes, n * rowBytes);
      at += n * rowBytes;
    });
    std::memset(memory.data() + at, 0, bytes - at);
    data = memory.data();
  }
  return Ort::Value::CreateTensor(model.cpuMemory(), data, bytes, dims.data(), dims.size(),
                                  spec.type);
}

}  // namespace cloudeasyml::serving
