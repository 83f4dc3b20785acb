#include "bindings/ioBinding.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/addonData.h"
#include "bindings/errors.h"
#include "bindings/functions.h"
#include "bindings/sessionBinding.h"
#include "bindings/tensorValues.h"
#include "runtime/elementType.h"
#include "runtime/run.h"

namespace cloudeasyml::bindings {

namespace {

using runtime::Session;

constexpr napi_type_tag kValueTag = {0x2f1c8a5be09d4471, 0xa4d7360fb82e915c};

/// A tensor that JavaScript holds but can't look into.
struct OpaqueValue {
  OpaqueValue(std::shared_ptr<Session> owner, Ort::Value tensor)
      : session(std::move(owner)), value(std::move(tensor)) {}
  ~OpaqueValue() {
    const auto lock = session->lockDevice();
    value = Ort::Value(nullptr);
  }

  const std::shared_ptr<Session> session;
  Ort::Value value;
};

struct Binding {
  explicit Binding(std::shared_ptr<Session> opened) : session(std::move(opened)) {
    const auto lock = session->lockDevice();
    ort = Ort::IoBinding(session->ort());
  }
  ~Binding() {
    const auto lock = session->lockDevice();
    ort = Ort::IoBinding(nullptr);
  }

  const std::shared_ptr<Session> session;
  Ort::IoBinding ort{nullptr};
};

/// A callback's arguments and its binding.
struct Call {
  Call(napi_env env, napi_callback_info raw)
      : info(env, raw), binding(objectOf<Binding>(info.Data())) {}

  /// Of the input or output among the model's.
  uint32_t place() const { return info[0].As<Napi::Number>().Uint32Value(); }
  const runtime::TensorInfo& input() const { return binding.session->inputs().at(place()); }
  const runtime::TensorInfo& output() const { return binding.session->outputs().at(place()); }

  const Napi::CallbackInfo info;
  Binding& binding;
};

Napi::Object makeOpaque(Napi::Env env, Ort::Value value, std::shared_ptr<Session> session) {
  auto object = Napi::Object::New(env);
  auto opaque = std::make_unique<OpaqueValue>(std::move(session), std::move(value));
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<OpaqueValue*>(data); };
  if (napi_type_tag_object(env, object, &kValueTag) != napi_ok ||
      napi_wrap(env, object, opaque.get(), finalize, nullptr, nullptr) != napi_ok) {
    throw Napi::Error::New(env);
  }
  opaque.release();
  return object;
}

const Ort::Value& opaqueFrom(Napi::Value value) {
  bool tagged = false;
  void* opaque = nullptr;
  if (napi_check_object_type_tag(value.Env(), value, &kValueTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(value.Env(), value, &opaque) != napi_ok) {
    throw Error("invalid_input", "Expected a device tensor.");
  }
  return static_cast<OpaqueValue*>(opaque)->value;
}

/// bindInput(input, data, dims)
napi_value bindInput(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Call call(env, raw);
    const auto value =
        tensorFrom(env, call.info[1], dimsFrom(call.info[2].As<Napi::Array>()), call.input());
    const auto lock = call.binding.session->lockDevice();
    call.binding.ort.BindInput(call.input().name.c_str(), value);
    return nullptr;
  });
}

/// bindDeviceInput(input, value)
napi_value bindDeviceInput(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Call call(env, raw);
    const auto& value = opaqueFrom(call.info[1]);
    const auto lock = call.binding.session->lockDevice();
    call.binding.ort.BindInput(call.input().name.c_str(), value);
    return nullptr;
  });
}

/// clearOutputs()
napi_value clearOutputs(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    Binding& binding = Call(env, raw).binding;
    const auto lock = binding.session->lockDevice();
    binding.ort.ClearBoundOutputs();
    return nullptr;
  });
}

/// bindOutput(output, data, dims)
napi_value bindOutput(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Call call(env, raw);
    const auto& info = call.output();
    const auto value = wrapTypedArray(env, call.info[1], dimsFrom(call.info[2].As<Napi::Array>()),
                                      info.type, info.name);
    const auto lock = call.binding.session->lockDevice();
    call.binding.ort.BindOutput(info.name.c_str(), value);
    return nullptr;
  });
}

/// bindOutputTo(output, location)
napi_value bindOutputTo(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Call call(env, raw);
    const OrtMemoryInfo* memory = call.binding.session->memory().at(
        call.place(), call.info[1].As<Napi::String>().Utf8Value());
    const auto lock = call.binding.session->lockDevice();
    Ort::ThrowOnError(
        Ort::GetApi().BindOutputToDevice(call.binding.ort, call.output().name.c_str(), memory));
    return nullptr;
  });
}

/// run()
napi_value run(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    Binding& binding = Call(env, raw).binding;
    runtime::run(*binding.session, *AddonData::of(env).token(), binding.ort);
    return nullptr;
  });
}

/// takeOutputs([opaque, …] in the order in which they were bound) → [[data or opaque value, dims,
/// location], …]. The binding still holds the tensors, so that none is freed on the device here.
napi_value takeOutputs(napi_env rawEnv, napi_callback_info raw) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::Env env(rawEnv);
    const Call call(env, raw);
    const auto opaque = call.info[0].As<Napi::Array>();
    auto values = call.binding.ort.GetOutputValues();
    auto results = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); ++i) {
      auto entry = Napi::Array::New(env, 3);
      entry.Set(1u, dimsOf(env, values[i]));
      entry.Set(2u, runtime::locationOf(values[i].GetTensorMemoryInfo()));
      if (opaque.Get(i).As<Napi::Boolean>().Value()) {
        entry.Set(0u, makeOpaque(env, std::move(values[i]), call.binding.session));
      } else {
        entry.Set(0u,
                  Napi::Value(env, elementsOf(env, std::move(values[i]), call.binding.session)));
      }
      results.Set(i, entry);
    }
    return results;
  });
}

/// createIoBinding(handle) → {bindInput, …, takeOutputs}
napi_value createIoBinding(napi_env rawEnv, napi_callback_info raw) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::CallbackInfo info(rawEnv, raw);
    const Napi::Env env = info.Env();
    const auto binding = std::make_shared<Binding>(sessionFrom(info[0]));
    auto methods = Napi::Object::New(env);
    defineMethod(env, methods, "bindInput", bindInput, binding);
    defineMethod(env, methods, "bindDeviceInput", bindDeviceInput, binding);
    defineMethod(env, methods, "clearOutputs", clearOutputs, binding);
    defineMethod(env, methods, "bindOutput", bindOutput, binding);
    defineMethod(env, methods, "bindOutputTo", bindOutputTo, binding);
    defineMethod(env, methods, "run", run, binding);
    defineMethod(env, methods, "takeOutputs", takeOutputs, binding);
    return methods;
  });
}

/// allocatePinned(handle, type, dims) → an ArrayBuffer in pinned memory, or null where it can't be
/// viewed
napi_value allocatePinned(napi_env rawEnv, napi_callback_info raw) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::CallbackInfo info(rawEnv, raw);
    const Napi::Env env = info.Env();
    const auto session = sessionFrom(info[0]);
    const auto type = runtime::elementTypeOf(info[1].As<Napi::String>().Utf8Value());
    const Dims dims = dimsFrom(info[2].As<Napi::Array>());
    struct Owner {
      std::shared_ptr<Session> session;
      Ort::Allocator allocator;
    };
    auto owner = std::make_shared<Owner>(
        Owner{session, Ort::Allocator(session->ort(), session->memory().pinned())});
    auto value = Ort::Value::CreateTensor(owner->allocator, dims.data(), dims.size(), type);
    napi_value view = viewOf(env, value, byteLengthOf(dims, type), owner);
    return view ? view : napi_value(env.Null());
  });
}

}  // namespace

void registerIoBinding(Napi::Env env, Napi::Object exports) {
  defineFunction(env, exports, "createIoBinding", createIoBinding);
  defineFunction(env, exports, "allocatePinned", allocatePinned);
}

}  // namespace cloudeasyml::bindings
