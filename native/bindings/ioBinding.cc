// Runs whose tensors may lie in a device's memory: src/engine/addon.ts describes the functions as
// NativeIoBinding.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/addonData.h"
#include "bindings/exports.h"
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
    throw Error(ErrorCode::kInvalidInput, "Expected a device tensor.");
  }
  return static_cast<OpaqueValue*>(opaque)->value;
}

/// ONNX Runtime's IoBinding of one session. All that touches a device goes on under its lock.
class IoBinding {
 public:
  IoBinding(Napi::Env env, std::shared_ptr<Session> session)
      : env_(env), session_(std::move(session)) {
    const auto lock = session_->lockDevice();
    ort_ = Ort::IoBinding(session_->ort());
  }
  ~IoBinding() {
    const auto lock = session_->lockDevice();
    ort_ = Ort::IoBinding(nullptr);
  }
  IoBinding(const IoBinding&) = delete;
  IoBinding& operator=(const IoBinding&) = delete;

  static Napi::Value create(Napi::Env env, std::shared_ptr<Session> session) {
    static constexpr Function<IoBinding> kFunctions[] = {
        {"bindInput", callback<&IoBinding::bindInput>},
        {"bindDeviceInput", callback<&IoBinding::bindDeviceInput>},
        {"clearOutputs", callback<&IoBinding::clearOutputs>},
        {"bindOutput", callback<&IoBinding::bindOutput>},
        {"bindOutputTo", callback<&IoBinding::bindOutputTo>},
        {"run", callback<&IoBinding::run>},
        {"takeOutputs", callback<&IoBinding::takeOutputs>},
    };
    auto object = Napi::Object::New(env);
    bindFunctions(object, kFunctions, std::make_shared<IoBinding>(env, std::move(session)));
    return object;
  }

 private:
  void bindInput(uint32_t input, napi_value data, Napi::Array dims) {
    const auto& info = session_->inputs().at(input);
    const auto value = tensorFrom(env_, data, dimsFrom(dims), info);
    const auto lock = session_->lockDevice();
    ort_.BindInput(info.name.c_str(), value);
  }

  void bindDeviceInput(uint32_t input, Napi::Value value) {
    const auto& opaque = opaqueFrom(value);
    const auto lock = session_->lockDevice();
    ort_.BindInput(session_->inputs().at(input).name.c_str(), opaque);
  }

  void clearOutputs() {
    const auto lock = session_->lockDevice();
    ort_.ClearBoundOutputs();
  }

  void bindOutput(uint32_t output, napi_value data, Napi::Array dims) {
    const auto& info = session_->outputs().at(output);
    const auto value = wrapTypedArray(env_, data, dimsFrom(dims), info.type, info.name);
    const auto lock = session_->lockDevice();
    ort_.BindOutput(info.name.c_str(), value);
  }

  void bindOutputTo(uint32_t output, const std::string& location) {
    const auto& name = session_->outputs().at(output).name;
    const OrtMemoryInfo* memory = session_->memory().at(output, location);
    const auto lock = session_->lockDevice();
    Ort::ThrowOnError(Ort::GetApi().BindOutputToDevice(ort_, name.c_str(), memory));
  }

  void run() { runtime::run(*session_, *AddonData::of(env_).token(), ort_); }

  /// The binding still holds the tensors, so that none is freed on the device here.
  /// @param opaque for each output, in the order in which they were bound, whether it stays opaque
  /// @returns [[data or opaque value, dims, location], …]
  Napi::Value takeOutputs(Napi::Array opaque) {
    auto values = ort_.GetOutputValues();
    auto results = Napi::Array::New(env_, values.size());
    for (uint32_t i = 0; i < values.size(); ++i) {
      auto entry = Napi::Array::New(env_, 3);
      entry.Set(1u, dimsOf(env_, values[i]));
      entry.Set(2u, runtime::locationOf(values[i].GetTensorMemoryInfo()));
      if (opaque.Get(i).As<Napi::Boolean>().Value()) {
        entry.Set(0u, makeOpaque(env_, std::move(values[i]), session_));
      } else {
        entry.Set(0u, Napi::Value(env_, elementsOf(env_, std::move(values[i]), session_)));
      }
      results.Set(i, entry);
    }
    return results;
  }

  const Napi::Env env_;
  const std::shared_ptr<Session> session_;
  Ort::IoBinding ort_{nullptr};
};

}  // namespace

Napi::Value createIoBinding(Napi::Env env, Napi::Value handle) {
  return IoBinding::create(env, sessionFrom(handle));
}

Napi::Value allocatePinned(Napi::Env env, Napi::Value handle, const std::string& typeName,
                           Napi::Array lengths) {
  const auto session = sessionFrom(handle);
  const auto type = runtime::elementTypeOf(typeName);
  const Dims dims = dimsFrom(lengths);
  struct Owner {
    std::shared_ptr<Session> session;
    Ort::Allocator allocator;
  };
  auto owner = std::make_shared<Owner>(
      Owner{session, Ort::Allocator(session->ort(), session->memory().pinned())});
  auto value = Ort::Value::CreateTensor(owner->allocator, dims.data(), dims.size(), type);
  const napi_value view = viewOf(env, value, byteLengthOf(dims, type), owner);
  return view ? Napi::Value(env, view) : Napi::Value(env.Null());
}

}  // namespace cloudeasyml::bindings
