#include "serving/onnxModel.h"

#include "runtime/elementType.h"
#include "runtime/error.h"

namespace cloudeasyml::serving {

namespace {

void requireJsonType(const runtime::TensorInfo& info, const char* kind) {
  if (info.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) return;
  if (runtime::elementSize(info.type) > 0) return;
  throw Error(ErrorCode::kModelLoadFailed,
              std::string("The model's ") + kind + " \"" + info.name +
                  "\" has an element type that JSON cannot carry; serve it "
                  "from a plugin with code.");
}

}  // namespace

OnnxModel::OnnxModel(std::shared_ptr<runtime::Session> session, std::string metadata)
    : session_(std::move(session)), metadata_(std::move(metadata)) {
  for (const auto& info : session_->inputs()) {
    requireJsonType(info, "input");
    codec::InputSpec spec;
    spec.name = info.name;
    spec.type = info.type;
    spec.batched = !info.dims.empty();
    if (spec.batched) {
      spec.rowDims.assign(info.dims.begin() + 1, info.dims.end());
      const int64_t batch = info.dims[0];
      if (batch == 0 || (batch > 0 && fixedBatch_ > 0 && fixedBatch_ != batch)) {
        throw Error(ErrorCode::kModelLoadFailed,
                    "The model's inputs have first axes of different fixed lengths; the first axis "
                    "must be the batch, or the model must be served from a plugin with code.");
      }
      if (batch > 0) fixedBatch_ = batch;
    }
    inputs_.push_back(std::move(spec));
  }
  for (const auto& info : session_->outputs()) {
    requireJsonType(info, "output");
    outputNames_.push_back(info.name);
  }
}

}  // namespace cloudeasyml::serving
