// Starting ONNX Runtime, and stopping what runs.
#include "bindings/addonData.h"
#include "bindings/exports.h"
#include "bindings/keyValues.h"

namespace cloudeasyml::bindings {

namespace {

runtime::Runtime& runtimeOf(Napi::Env env) { return AddonData::of(env).engine->runtime; }

runtime::RuntimeSettings settingsFrom(Napi::Object object) {
  runtime::RuntimeSettings settings;
  settings.library = object.Get("library").As<Napi::String>().Utf8Value();
  settings.intraOpThreads = object.Get("intraOpThreads").As<Napi::Number>().Int32Value();
  settings.interOpThreads = object.Get("interOpThreads").As<Napi::Number>().Int32Value();
  settings.spinning = object.Get("spinning").As<Napi::Boolean>().Value();
  settings.providerLibraries = keyValuesFrom(object.Get("providerLibraries"));
  return settings;
}

}  // namespace

Napi::Value initialize(Napi::Env env, Napi::Function errorClass, int32_t threadId) {
  AddonData& data = AddonData::of(env);
  data.errorClass = Napi::Persistent(errorClass);
  data.threadId = threadId;
  return data.frame.buffer.Value();
}

void startRuntime(Napi::Env env, Napi::Object settings) {
  runtimeOf(env).start(settingsFrom(settings));
}

void ensureRuntimeStarted(Napi::Env env, Napi::Object settings) {
  runtimeOf(env).ensureStarted(settingsFrom(settings));
}

Napi::Value runtimeInfo(Napi::Env env) {
  const runtime::Runtime& runtime = runtimeOf(env);
  const auto names = runtime.availableProviders();
  auto providers = Napi::Array::New(env, names.size());
  for (uint32_t i = 0; i < names.size(); ++i) providers.Set(i, names[i]);
  auto result = Napi::Object::New(env);
  result.Set("version", runtime.version());
  result.Set("library", runtime.library());
  result.Set("executionProviders", providers);
  return result;
}

void stopThread(Napi::Env env, int32_t threadId) { runtimeOf(env).runs.stopThread(threadId); }

void stopAll(Napi::Env env) {
  runtimeOf(env).runs.stopAll();
  runtimeOf(env).pool.waitIdle();
}

}  // namespace cloudeasyml::bindings
