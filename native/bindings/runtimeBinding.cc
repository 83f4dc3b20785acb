#include "bindings/runtimeBinding.h"

#include "bindings/addonData.h"
#include "bindings/errors.h"
#include "bindings/functions.h"
#include "bindings/keyValues.h"

namespace cloudeasyml::bindings {

namespace {

runtime::Runtime& runtimeOf(Napi::Env env) { return AddonData::of(env).engine->runtime; }

runtime::RuntimeSettings settingsFrom(Napi::Value value) {
  const auto object = value.As<Napi::Object>();
  runtime::RuntimeSettings settings;
  settings.library = object.Get("library").As<Napi::String>().Utf8Value();
  settings.intraOpThreads = object.Get("intraOpThreads").As<Napi::Number>().Int32Value();
  settings.interOpThreads = object.Get("interOpThreads").As<Napi::Number>().Int32Value();
  settings.spinning = object.Get("spinning").As<Napi::Boolean>().Value();
  settings.providerLibraries = keyValuesFrom(object.Get("providerLibraries"));
  return settings;
}

/// initialize(CloudEasyMLError, threadId) → the frame's ArrayBuffer
napi_value initialize(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Napi::CallbackInfo info(env, raw);
    AddonData& data = AddonData::of(env);
    data.errorClass = Napi::Persistent(info[0].As<Napi::Function>());
    data.threadId = info[1].As<Napi::Number>().Int32Value();
    return data.frame.buffer.Value();
  });
}

/// startRuntime(settings)
napi_value startRuntime(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Napi::CallbackInfo info(env, raw);
    runtimeOf(env).start(settingsFrom(info[0]));
    return nullptr;
  });
}

/// ensureRuntimeStarted(settings)
napi_value ensureRuntimeStarted(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Napi::CallbackInfo info(env, raw);
    runtimeOf(env).ensureStarted(settingsFrom(info[0]));
    return nullptr;
  });
}

/// runtimeInfo() → {version, library, executionProviders}
napi_value runtimeInfo(napi_env rawEnv, napi_callback_info) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::Env env(rawEnv);
    const runtime::Runtime& runtime = runtimeOf(env);
    const auto names = runtime.availableProviders();
    auto providers = Napi::Array::New(env, names.size());
    for (uint32_t i = 0; i < names.size(); ++i) providers.Set(i, names[i]);
    auto result = Napi::Object::New(env);
    result.Set("version", runtime.version());
    result.Set("library", runtime.library());
    result.Set("executionProviders", providers);
    return result;
  });
}

/// stopThread(threadId)
napi_value stopThread(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Napi::CallbackInfo info(env, raw);
    runtimeOf(env).runs.stopThread(info[0].As<Napi::Number>().Int32Value());
    return nullptr;
  });
}

/// stopAll(): the process is exiting. Returns once no run of the pool uses the library, whose
/// statics go next.
napi_value stopAll(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    runtimeOf(env).runs.stopAll();
    runtimeOf(env).pool.waitIdle();
    return nullptr;
  });
}

}  // namespace

void registerRuntime(Napi::Env env, Napi::Object exports) {
  defineFunction(env, exports, "initialize", initialize);
  defineFunction(env, exports, "startRuntime", startRuntime);
  defineFunction(env, exports, "ensureRuntimeStarted", ensureRuntimeStarted);
  defineFunction(env, exports, "runtimeInfo", runtimeInfo);
  defineFunction(env, exports, "stopThread", stopThread);
  defineFunction(env, exports, "stopAll", stopAll);
}

}  // namespace cloudeasyml::bindings
