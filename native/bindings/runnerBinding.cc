// Synchronous runs: src/engine/addon.ts describes the functions as NativeRunner.
#include <memory>
#include <utility>
#include <vector>

#include "bindings/addonData.h"
#include "bindings/exports.h"
#include "bindings/functions.h"
#include "bindings/runner.h"
#include "bindings/sessionBinding.h"

namespace cloudeasyml::bindings {

namespace {

class RunnerBinding {
 public:
  RunnerBinding(Napi::Env env, std::shared_ptr<runtime::Session> session)
      : env_(env), data_(AddonData::of(env)), runner_(data_, std::move(session)) {}

  static Napi::Value create(Napi::Env env, std::shared_ptr<runtime::Session> session) {
    static constexpr Function<RunnerBinding> kFunctions[] = {
        {"select", callback<&RunnerBinding::select>},
        {"bindInput", callback<&RunnerBinding::bindInput>},
        {"bindOutput", callback<&RunnerBinding::bindOutput>},
        {"wrapInput", callback<&RunnerBinding::wrapInput>},
        {"wrapOutput", callback<&RunnerBinding::wrapOutput>},
        {"lendOutput", callback<&RunnerBinding::lendOutput>},
        {"run", callback<&RunnerBinding::run>},
        {"take", callback<&RunnerBinding::take>},
        {"close", callback<&RunnerBinding::close>},
    };
    auto object = Napi::Object::New(env);
    bindFunctions(object, kFunctions, std::make_shared<RunnerBinding>(env, std::move(session)));
    return object;
  }

 private:
  void select(Napi::Array list) {
    std::vector<size_t> outputs;
    for (uint32_t i = 0; i < list.Length(); ++i) {
      outputs.push_back(list.Get(i).As<Napi::Number>().Uint32Value());
    }
    runner_.select(std::move(outputs));
  }

  /// A small tensor, in the frame.
  void bindInput(uint32_t slot, uint32_t offset, uint32_t rank) {
    runner_.bindInput(slot, runner_.inFrame(offset, dimsInHeader(rank), runner_.inputInfo(slot)));
  }

  void bindOutput(uint32_t slot, uint32_t offset, uint32_t rank) {
    runner_.bindOutput(slot, runner_.inFrame(offset, dimsInHeader(rank), runner_.outputInfo(slot)));
  }

  /// A large tensor where it lies, or an array of strings.
  void wrapInput(uint32_t slot, napi_value data, uint32_t rank) {
    runner_.bindInput(slot, tensorFrom(env_, data, dimsInHeader(rank), runner_.inputInfo(slot)));
  }

  void wrapOutput(uint32_t slot, napi_value data, uint32_t rank) {
    const auto& tensor = runner_.outputInfo(slot);
    runner_.bindOutput(slot,
                       wrapTypedArray(env_, data, dimsInHeader(rank), tensor.type, tensor.name));
  }

  void lendOutput(uint32_t slot, napi_value data, uint32_t rank) {
    const auto& tensor = runner_.outputInfo(slot);
    runner_.lendOutput(slot,
                       wrapTypedArray(env_, data, dimsInHeader(rank), tensor.type, tensor.name));
  }

  void run() { runner_.run(); }

  /// @returns an ArrayBuffer, or an array of strings
  napi_value take(uint32_t slot) { return elementsOf(env_, runner_.take(slot), runner_.session()); }

  void close() { runner_.close(); }

  /// The shape that JavaScript wrote at the head of the frame.
  Dims dimsInHeader(size_t rank) const {
    if (rank > SharedFrame::kHeaderNumbers) {
      throw Error(ErrorCode::kInvalidInput, "The tensor has more axes than the engine can carry.");
    }
    return readDims(data_.frame.header(), rank);
  }

  const Napi::Env env_;
  AddonData& data_;
  Runner runner_;
};

}  // namespace

Napi::Value createRunner(Napi::Env env, Napi::Value handle) {
  return RunnerBinding::create(env, sessionFrom(handle));
}

}  // namespace cloudeasyml::bindings
