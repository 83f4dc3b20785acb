#include "bindings/errors.h"

#include <onnxruntime_cxx_api.h>

#include "bindings/addonData.h"

namespace cloudeasyml::bindings {

Napi::Value makeError(Napi::Env env, const char* code, const std::string& message) {
  AddonData& data = AddonData::of(env);
  if (data.errorClass.IsEmpty()) {
    auto error = Napi::Error::New(env, message).Value();
    error.Set("code", code);
    return error;
  }
  return data.errorClass.New({Napi::String::New(env, code), Napi::String::New(env, message)});
}

void throwError(Napi::Env env, const char* code, const std::string& message) noexcept {
  try {
    napi_throw(env, makeError(env, code, message));
  } catch (const Napi::Error& failure) {
    // Only an environment that is being torn down can't make an error, and it would drop it anyway.
    failure.ThrowAsJavaScriptException();
  }
}

void throwCurrentException(Napi::Env env) noexcept {
  try {
    throw;
  } catch (const Error& failure) {
    throwError(env, failure.code(), failure.what());
  } catch (const Napi::Error& failure) {
    failure.ThrowAsJavaScriptException();
  } catch (const Ort::Exception& failure) {
    throwError(env, "runtime_failed", failure.what());
  } catch (const std::exception& failure) {
    throwError(env, "internal", failure.what());
  }
}

}  // namespace cloudeasyml::bindings
