#include "bindings/runner.h"

#include <cstring>
#include <utility>

#include "runtime/elementType.h"
#include "runtime/error.h"
#include "runtime/run.h"

namespace cloudeasyml::bindings {

namespace {

size_t aligned(size_t offset) {
  return (offset + SharedFrame::kAlignment - 1) / SharedFrame::kAlignment * SharedFrame::kAlignment;
}

}  // namespace

Runner::Runner(AddonData& data, std::shared_ptr<runtime::Session> session)
    : data_(data),
      session_(std::move(session)),
      api_(Ort::GetApi()),
      rawInputs_(session_->inputs().size(), nullptr) {
  for (size_t i = 0; i < rawInputs_.size(); ++i) inputs_.emplace_back(nullptr);
}

const std::shared_ptr<runtime::Session>& Runner::session() const {
  if (!session_) throw Error(ErrorCode::kRuntimeFailed, "The session has been released.");
  return session_;
}

void Runner::close() noexcept {
  inputs_.clear();
  rawInputs_.clear();
  outputs_.clear();
  rawOutputs_.clear();
  lent_.clear();
  produced_.clear();
  selection_.clear();
  session_.reset();
}

const runtime::TensorInfo& Runner::inputInfo(size_t slot) const {
  return session()->inputs().at(slot);
}

const runtime::TensorInfo& Runner::outputInfo(size_t slot) const {
  return session()->outputs().at(selection_.at(slot));
}

void Runner::select(std::vector<size_t> outputs) {
  selection_ = std::move(outputs);
  outputNames_.clear();
  outputs_.clear();
  lent_.clear();
  produced_.clear();
  for (const size_t output : selection_) {
    outputNames_.push_back(session()->outputNames().at(output));
    outputs_.emplace_back(nullptr);
    produced_.emplace_back(nullptr);
  }
  rawOutputs_.assign(selection_.size(), nullptr);
}

void Runner::bindInput(size_t slot, Ort::Value value) {
  inputs_.at(slot) = std::move(value);
  rawInputs_[slot] = inputs_[slot];
}

void Runner::bindOutput(size_t slot, Ort::Value value) {
  outputs_.at(slot) = std::move(value);
  rawOutputs_[slot] = outputs_[slot];
}

void Runner::lendOutput(size_t slot, Ort::Value value) {
  bindOutput(slot, std::move(value));
  lent_.push_back(slot);
}

void Runner::takeBackLent() noexcept {
  for (const size_t slot : lent_) outputs_[slot] = Ort::Value(nullptr);
  lent_.clear();
}

Ort::Value Runner::inFrame(size_t offset, const Dims& dims, const runtime::TensorInfo& info) const {
  const bool inside = offset >= Frame::kHeaderBytes && offset <= Frame::kBytes &&
                      offset % SharedFrame::kAlignment == 0;
  return wrapMemory(data_.frame.bytes + offset, inside ? Frame::kBytes - offset : 0, dims,
                    info.type, info.name);
}

void Runner::run() {
  for (size_t i = 0; i < rawInputs_.size(); ++i) {
    if (!rawInputs_[i]) {
      throw Error(ErrorCode::kInvalidInput, "The input \"" + inputInfo(i).name + "\" is missing.");
    }
  }
  for (size_t i = 0; i < rawOutputs_.size(); ++i) rawOutputs_[i] = outputs_[i];

  try {
    runtime::run(*session(), *data_.token(), rawInputs_, outputNames_, rawOutputs_);
  } catch (...) {
    takeBackLent();
    throw;
  }
  for (size_t i = 0; i < rawOutputs_.size(); ++i) {
    if (!outputs_[i]) produced_[i] = Ort::Value(rawOutputs_[i]);
  }
  takeBackLent();
  report();
}

void Runner::report() {
  double* next = data_.frame.header();
  const double* end = next + SharedFrame::kHeaderNumbers;
  size_t offset = Frame::kHeaderBytes;
  for (size_t i = 0; i < produced_.size(); ++i) {
    if (!produced_[i]) continue;
    ONNXTensorElementDataType type;
    const int64_t* dims = nullptr;
    size_t rank = 0;
    Ort::ThrowOnError(
        api_.GetTensorElementTypeAndShapeDataReference(produced_[i], &type, &dims, &rank));
    if (next + 2 + rank > end) {
      throw Error(ErrorCode::kRuntimeFailed,
                  "The outputs have more axes than one call can report.");
    }
    size_t bytes = runtime::elementSize(type);
    const bool text = bytes == 0;
    double* place = next++;
    *next++ = static_cast<double>(rank);
    for (size_t axis = 0; axis < rank; ++axis) {
      *next++ = static_cast<double>(dims[axis]);
      bytes *= static_cast<size_t>(dims[axis]);
    }
    *place = TensorPlace::kElsewhere;
    if (text || bytes > SharedFrame::kSmallTensorBytes || offset + bytes > Frame::kBytes) continue;
    void* elements = nullptr;
    Ort::ThrowOnError(api_.GetTensorMutableData(produced_[i], &elements));
    if (bytes > 0) std::memcpy(data_.frame.bytes + offset, elements, bytes);
    *place = static_cast<double>(offset);
    offset = aligned(offset + bytes);
    produced_[i] = Ort::Value(nullptr);
  }
}

Ort::Value Runner::take(size_t slot) {
  if (!produced_.at(slot))
    throw Error(ErrorCode::kInternal, "The run left no such output to take.");
  return std::exchange(produced_[slot], Ort::Value(nullptr));
}

}  // namespace cloudeasyml::bindings
