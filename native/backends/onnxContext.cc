#include "backends/onnxContext.h"

#include <algorithm>
#include <exception>
#include <string>

#include "backends/outputValues.h"
#include "protocols/requestError.h"
#include "runtime/ortMessage.h"
#include "serving/channel.h"
#include "serving/time.h"

namespace cloudeasyml::backends {

using protocols::Chunk;
using protocols::DecodedRequest;
using serving::Batch;
using serving::Request;

namespace {

/// Buffers below this are not worth giving back.
constexpr size_t kKeptBytes = 1 << 20;
/// Outputs may take this many times the bytes that an answer may have: numbers can be shorter as
/// text, and scores that are answered as labels are many.
constexpr size_t kOutputsPerAnswer = 4;

size_t byteLengthOf(const protocols::Value& value) {
  size_t bytes = value.tensor.byteLength();
  if (value.tensor.isText()) bytes = value.tensor.capacity();
  for (const auto& item : value.items) bytes += byteLengthOf(item);
  return bytes;
}

void requireOutputBytes(size_t bytes, size_t most) {
  if (bytes <= most) return;
  throw Error(ErrorCode::kAnswerTooLarge,
              "The model's outputs would take more than " + std::to_string(most) +
                  " bytes for the request, " + std::to_string(kOutputsPerAnswer) +
                  " times the server's answerLimit. Ask for less at once.");
}

}  // namespace

void OnnxContext::read(Request& request) {
  if (count_ == decoded_.size()) decoded_.push_back(std::make_unique<DecodedRequest>());
  auto& decoded = *decoded_[count_];
  request.protocol->decode(request.body, backend_.signature(), reader_, decoded);
  request.rows = decoded.rows;
  ++count_;
}

bool OnnxContext::areJoinable(size_t a, size_t b) const {
  const auto& inputs = backend_.signature().inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto& left = decoded_[a]->inputs[i];
    const auto& right = decoded_[b]->inputs[i];
    if (!inputs[i].byRows) {
      if (!left.equals(right)) return false;
      continue;
    }
    if (!std::equal(left.dims.begin() + 1, left.dims.end(), right.dims.begin() + 1)) return false;
  }
  return true;
}

std::vector<OnnxContext::Places> OnnxContext::joinableGroups() const {
  std::vector<Places> groups;
  for (size_t i = 0; i < count_; ++i) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const Places& each) {
      return backend_.contract().joined && areJoinable(each.front(), i);
    });
    if (group == groups.end()) {
      groups.push_back({i});
    } else {
      group->push_back(i);
    }
  }
  return groups;
}

void OnnxContext::run(const Batch& batch, const runtime::CancellationToken& token) {
  chargedUntilNs_ = batch.startNs;
  for (const auto& group : joinableGroups()) {
    const bool isAlone = group.size() == 1;
    if (attempt(batch, group, isAlone, token) || isAlone) continue;
    for (const size_t place : group) {
      if (!batch.requests[place]->hasEnded()) attempt(batch, {place}, true, token);
    }
  }
}

bool OnnxContext::attempt(const Batch& batch, const Places& places, bool isLast,
                          const runtime::CancellationToken& token) {
  const auto fail = [&](ErrorCode code, const std::string& detail) {
    for (const size_t place : places) {
      serving::fail(*batch.requests[place], {code, detail, {}});
    }
  };
  try {
    runGroup(batch, places, token);
    return true;
  } catch (const Error& error) {
    // A worker will start it again.
    if (batch.isInline && token.cancelled()) return true;
    if (isLast) fail(error.code(), error.what());
  } catch (const Ort::Exception& error) {
    if (isLast) fail(ErrorCode::kRuntimeFailed, runtime::withoutSource(error.what()));
  } catch (const std::exception& error) {
    if (isLast) fail(ErrorCode::kRuntimeFailed, error.what());
  }
  return false;
}

void OnnxContext::runGroup(const Batch& batch, const Places& places,
                           const runtime::CancellationToken& token) {
  group_.clear();
  size_t rows = 0;
  const size_t answerBytes = batch.deployment->limits.answerBytes;
  const size_t outputLimit = kOutputsPerAnswer * answerBytes;
  for (const size_t place : places) {
    group_.push_back(decoded_[place].get());
    rows += group_.back()->rows;
    requireOutputBytes(group_.back()->rows * backend_.declaredRowBytes(), outputLimit);
  }
  const int64_t runsAtNs = serving::nowNs();
  memory_.clear();
  const auto chunks = runRows(group_, rows, outputLimit, token);
  const int64_t endNs = serving::nowNs();
  const auto nsPerRow = static_cast<double>(endNs - chargedUntilNs_) / static_cast<double>(rows);
  chargedUntilNs_ = endNs;
  size_t firstRow = 0;
  for (const size_t place : places) {
    auto& request = *batch.requests[place];
    const auto& decoded = *decoded_[place];
    const protocols::AnswerGuard guard(answerBytes, request.done, token.flag());
    answer(batch, request,
           {backend_.signature(),
            chunks,
            {firstRow, decoded.rows},
            decoded,
            endNs - batch.startNs,
            guard,
            outputBytes_},
           {runsAtNs - batch.startNs, static_cast<int64_t>(nsPerRow * decoded.rows)});
    firstRow += decoded.rows;
  }
}

// @param mostBytes that the outputs may take for each of the group's requests
std::vector<Chunk> OnnxContext::runRows(const Group& group, size_t rows, size_t mostBytes,
                                        const runtime::CancellationToken& token) {
  const auto fixed = static_cast<size_t>(backend_.contract().fixedBatch);
  const size_t limit = backend_.rowsPerRun() > 0 ? backend_.rowsPerRun() : rows;
  std::vector<Chunk> chunks;
  outputBytes_ = 0;
  for (size_t from = 0; from < rows; from += limit) {
    Chunk chunk;
    chunk.from = from;
    chunk.count = std::min(limit, rows - from);
    const size_t first = memory_.size();
    runner_.run(backend_.session(), backend_.signature(), group,
                {from, chunk.count, fixed > 0 ? fixed : chunk.count}, token, memory_);
    chunk.outputs.reserve(memory_.size() - first);
    for (size_t i = first; i < memory_.size(); ++i) {
      chunk.outputs.push_back(openValue(memory_[i]));
      outputBytes_ += byteLengthOf(chunk.outputs.back());
    }
    requireOutputBytes(outputBytes_ / group.size(), mostBytes);
    chunks.push_back(std::move(chunk));
  }
  requireRows(chunks);
  return chunks;
}

// Checks the outputs against what the shapes and the trial promised.
void OnnxContext::requireRows(const std::vector<Chunk>& chunks) const {
  const auto& outputs = backend_.signature().outputs;
  const auto fixed = static_cast<size_t>(backend_.contract().fixedBatch);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].byRows) continue;
    for (const auto& chunk : chunks) {
      const size_t expected = fixed > 0 ? fixed : chunk.count;
      if (chunk.outputs[i].rows() == expected) continue;
      throw Error(ErrorCode::kRuntimeFailed,
                  "The model's output \"" + outputs[i].name +
                      "\" does not have a row for each of the run's " + std::to_string(expected) +
                      " rows. Set serving.maxBatchSize to 0, or serve the model "
                      "from a plugin with code.");
    }
  }
}

// The request is claimed when its answer is whole: until then it may run out of time.
void OnnxContext::answer(const Batch& batch, Request& request, const protocols::Answer& answer,
                         const Times& times) {
  if (request.hasEnded()) return;
  try {
    request.protocol->encode(encoded_, answer);
  } catch (const Error& error) {
    // A worker will start it again.
    if (batch.isInline && error.code() == ErrorCode::kCancelled) return;
    serving::fail(request, {error.code(), error.what(), {}});
    return;
  } catch (const std::exception& error) {
    serving::fail(request, {ErrorCode::kRuntimeFailed, error.what(), {}});
    return;
  }
  if (!request.claim()) return;
  request.processingNs = answer.elapsedNs;
  request.batchNs = times.formedNs;
  request.chargedNs = times.chargedNs;
  request.answer.swap(encoded_);
  request.binaryAnswer = request.protocol->hasBinaryAnswers();
  serving::completeAnswered(request, batch.deployment->limits.answerBytes);
}

void OnnxContext::clear() noexcept {
  memory_.clear();
  size_t used = runner_.capacity();
  for (size_t i = 0; i < count_; ++i) {
    for (const auto& input : decoded_[i]->inputs) used += input.capacity();
  }
  count_ = 0;
  if (encoded_.capacity() > kKeptBytes) std::string().swap(encoded_);
  if (!used_.note(used)) return;
  size_t held = runner_.capacity();
  for (const auto& decoded : decoded_) {
    for (const auto& input : decoded->inputs) held += input.capacity();
  }
  if (held < kKeptBytes || held < 2 * used_.most()) return;
  decoded_.clear();
  runner_.release();
}

}  // namespace cloudeasyml::backends
