#include "bindings/errors.h"

#include <onnxruntime_cxx_api.h>

#include "bindings/addonData.h"
#include "runtime/ortMessage.h"

namespace cloudeasyml::bindings {

namespace {

/// A JavaScript CloudEasyMLError(code, message).
napi_value makeError(Napi::Env env, ErrorCode errorCode, const char* message) {
  // There is none yet where making it is what failed.
  const AddonData* data = env.GetInstanceData<AddonData>();
  const char* code = nameOf(errorCode);
  if (!data || data->errorClass.IsEmpty()) {
    auto error = Napi::Error::New(env, message).Value();
    error.Set("code", code);
    return error;
  }
  return data->errorClass.New({Napi::String::New(env, code), Napi::String::New(env, message)});
}

napi_value convertCurrentException(Napi::Env env) {
  try {
    throw;
  } catch (const Napi::Error& failure) {
    return failure.Value();
  } catch (const Error& failure) {
    return makeError(env, failure.code(), failure.what());
  } catch (const Ort::Exception& failure) {
    return makeError(env, ErrorCode::kRuntimeFailed,
                     runtime::withoutSource(failure.what()).c_str());
  } catch (const std::exception& failure) {
    return makeError(env, ErrorCode::kInternal, failure.what());
  } catch (...) {
    return makeError(env, ErrorCode::kInternal, "The native engine failed.");
  }
}

}  // namespace

napi_value currentError(Napi::Env env) noexcept {
  try {
    try {
      return convertCurrentException(env);
    } catch (const Napi::Error& failure) {
      // Even making an error may throw one: where the stack is full, for instance.
      return failure.Value();
    }
  } catch (...) {
    return nullptr;
  }
}

void throwCurrentException(Napi::Env env) noexcept {
  if (const napi_value error = currentError(env)) napi_throw(env, error);
}

}  // namespace cloudeasyml::bindings
