#include "bindings/sessionBinding.h"

#include <string>
#include <utility>

#include "bindings/addonData.h"
#include "bindings/backgroundWork.h"
#include "bindings/exports.h"
#include "bindings/keyValues.h"
#include "bindings/nativeHandle.h"
#include "runtime/modelState.h"
#include "runtime/sessionRequest.h"

namespace cloudeasyml::bindings {

namespace {

using runtime::Session;
using runtime::SessionRequest;
using runtime::TensorInfo;

constexpr napi_type_tag kHandleTag = {0x6b0a9f7d51e24c83, 0x9d3e41c7a85f2b60};

std::shared_ptr<Session>& heldSession(Napi::Value handle) {
  return heldBy<Session>(handle, kHandleTag, "Expected an inference session.");
}

SessionRequest requestFor(Napi::Value model) {
  SessionRequest request;
  if (model.IsString()) {
    request.path = model.As<Napi::String>().Utf8Value();
  } else {
    const auto bytes = model.As<Napi::Uint8Array>();
    request.bytes = bytes.Data();
    request.byteLength = bytes.ByteLength();
  }
  return request;
}

/// Reads the request that src/engine/sessionOptions.ts makes. `model` is a path or the model's
/// bytes.
SessionRequest requestFrom(Napi::Value model, Napi::Object options) {
  SessionRequest request = requestFor(model);
  const auto text = [&](const char* key) {
    return options.Get(key).As<Napi::String>().Utf8Value();
  };
  const auto integer = [&](const char* key) {
    return options.Get(key).As<Napi::Number>().Int32Value();
  };
  const auto flag = [&](const char* key) { return options.Get(key).As<Napi::Boolean>().Value(); };

  request.contentHash = text("contentHash");
  request.optionsKey = text("key");
  request.optimizedModelPath = text("optimizedModelPath");
  request.optimizedState = text("optimizedState");
  request.optimization = static_cast<GraphOptimizationLevel>(integer("graphOptimizationLevel"));
  request.intraOpThreads = integer("intraOpThreads");
  request.interOpThreads = integer("interOpThreads");
  request.memoryPattern = flag("memoryPattern");
  request.cpuArena = flag("cpuArena");
  request.configEntries = keyValuesFrom(options.Get("configEntries"));
  const auto providers = options.Get("executionProviders").As<Napi::Array>();
  for (uint32_t i = 0; i < providers.Length(); ++i) {
    const auto provider = providers.Get(i).As<Napi::Object>();
    request.providers.push_back({provider.Get("name").As<Napi::String>().Utf8Value(),
                                 keyValuesFrom(provider.Get("options"))});
  }
  return request;
}

Napi::Array describe(Napi::Env env, const std::vector<TensorInfo>& infos) {
  auto array = Napi::Array::New(env, infos.size());
  for (uint32_t i = 0; i < infos.size(); ++i) {
    const TensorInfo& info = infos[i];
    auto dims = Napi::Array::New(env, info.dims.size());
    for (uint32_t axis = 0; axis < info.dims.size(); ++axis) {
      const bool named = axis < info.dimNames.size() && !info.dimNames[axis].empty();
      if (info.dims[axis] >= 0) {
        dims.Set(axis, static_cast<double>(info.dims[axis]));
      } else if (named) {
        dims.Set(axis, info.dimNames[axis]);
      } else {
        dims.Set(axis, env.Null());
      }
    }
    auto entry = Napi::Object::New(env);
    entry.Set("name", info.name);
    entry.Set("type", runtime::describeType(info));
    entry.Set("dims", dims);
    array.Set(i, entry);
  }
  return array;
}

Napi::Object openedFrom(Napi::Env env, std::shared_ptr<Session> session) {
  auto opened = Napi::Object::New(env);
  opened.Set("inputs", describe(env, session->inputs()));
  opened.Set("outputs", describe(env, session->outputs()));
  auto providers = Napi::Array::New(env, session->providers().size());
  for (uint32_t i = 0; i < session->providers().size(); ++i) {
    providers.Set(i, session->providers()[i]);
  }
  opened.Set("executionProviders", providers);
  opened.Set("handle", makeHandle(env, kHandleTag, std::move(session)));
  return opened;
}

}  // namespace

std::shared_ptr<runtime::Session> sessionFrom(Napi::Value handle) {
  auto session = heldSession(handle);
  if (!session) throw Error(ErrorCode::kRuntimeFailed, "The session has been released.");
  return session;
}

Napi::Value openSessionSync(Napi::Env env, Napi::Value model, Napi::Object options) {
  return openedFrom(env,
                    AddonData::of(env).engine->runtime.openSession(requestFrom(model, options)));
}

void openSession(Napi::Env env, Napi::Value model, Napi::Object options, Napi::Function callback) {
  BackgroundWork<std::shared_ptr<Session>>::queue(
      env, Callback(callback, model),
      [engine = AddonData::of(env).engine, request = requestFrom(model, options)] {
        return engine->runtime.openSession(request);
      },
      openedFrom);
}

Napi::Value modelState(Napi::Env env, Napi::Value model, const std::string& contentHash,
                       Napi::Value configEntries) {
  SessionRequest request = requestFor(model);
  request.contentHash = contentHash;
  request.configEntries = keyValuesFrom(configEntries);
  const auto state = runtime::modelState(request);
  auto result = Napi::Object::New(env);
  result.Set("state", state.text());
  result.Set("weights", state.weights);
  return result;
}

void releaseSession(Napi::Env, Napi::Value handle) { heldSession(handle).reset(); }

uint32_t openSessions(Napi::Env env) {
  return static_cast<uint32_t>(AddonData::of(env).engine->runtime.openSessions());
}

}  // namespace cloudeasyml::bindings
