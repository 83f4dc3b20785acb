#include "bindings/benchBinding.h"

#include <chrono>
#include <vector>

#include "bindings/errors.h"
#include "bindings/functions.h"
#include "bindings/sessionBinding.h"
#include "bindings/tensorValues.h"

namespace cloudeasyml::bindings {

namespace {

struct Tensors {
  std::vector<Ort::Value> values;
  std::vector<OrtValue*> raw;
};

Tensors tensorsFrom(Napi::Env env, Napi::Array entries,
                    const std::vector<runtime::TensorInfo>& infos) {
  Tensors tensors;
  for (uint32_t i = 0; i < infos.size(); ++i) {
    const auto entry = entries.Get(i).As<Napi::Array>();
    tensors.values.push_back(
        tensorFrom(env, entry.Get(0u), dimsFrom(entry.Get(1u).As<Napi::Array>()), infos[i]));
    tensors.raw.push_back(tensors.values.back());
  }
  return tensors;
}

/// runLoop(handle, [[data, dims], …] inputs, the same for outputs, count) → nanoseconds per
/// OrtApi::Run, called `count` times in a C loop on the caller's memory
napi_value runLoop(napi_env rawEnv, napi_callback_info raw) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::CallbackInfo info(rawEnv, raw);
    const Napi::Env env = info.Env();
    const auto session = sessionFrom(info[0]);
    Tensors inputs = tensorsFrom(env, info[1].As<Napi::Array>(), session->inputs());
    Tensors outputs = tensorsFrom(env, info[2].As<Napi::Array>(), session->outputs());
    const uint32_t count = info[3].As<Napi::Number>().Uint32Value();
    const OrtApi& api = Ort::GetApi();
    const auto start = std::chrono::steady_clock::now();
    for (uint32_t i = 0; i < count; ++i) {
      Ort::ThrowOnError(api.Run(session->ort(), nullptr, session->inputNames().data(),
                                inputs.raw.data(), inputs.raw.size(), session->outputNames().data(),
                                outputs.raw.size(), outputs.raw.data()));
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    return Napi::Number::New(env, took.count() / count);
  });
}

}  // namespace

void registerBench(Napi::Env env, Napi::Object exports) {
  defineFunction(env, exports, "runLoop", runLoop);
}

}  // namespace cloudeasyml::bindings
