// Functions for the hot path: bare Node-API callbacks bound to a native object.
#pragma once

#include <napi.h>

#include <array>

namespace cloudeasyml::bindings {

/// The arguments of a bare callback and the object it is bound to. Missing arguments are undefined.
template <typename Self, size_t Count>
struct RawCall {
  RawCall(napi_env env, napi_callback_info info) : env(env) {
    size_t count = Count;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, args.data(), nullptr, &data);
    self = static_cast<Self*>(data);
  }

  uint32_t uint32(size_t index) const {
    uint32_t value = 0;
    napi_get_value_uint32(env, args[index], &value);
    return value;
  }

  int32_t int32(size_t index) const {
    int32_t value = 0;
    napi_get_value_int32(env, args[index], &value);
    return value;
  }

  napi_value number(int32_t value) const {
    napi_value result;
    napi_create_int32(env, value, &result);
    return result;
  }

  napi_value boolean(bool value) const {
    napi_value result;
    napi_get_boolean(env, value, &result);
    return result;
  }

  napi_env env;
  Self* self = nullptr;
  std::array<napi_value, Count> args{};
};

/// Sets `object[name]` to a function bound to `self`, which must outlive the environment's
/// JavaScript.
inline void defineRaw(Napi::Object object, const char* name, napi_callback callback, void* self) {
  napi_value function;
  NAPI_THROW_IF_FAILED_VOID(object.Env(), napi_create_function(object.Env(), name, NAPI_AUTO_LENGTH,
                                                               callback, self, &function));
  object.Set(name, Napi::Value(object.Env(), function));
}

/// A threadsafe function that calls `callback` without arguments and keeps no event loop alive.
inline napi_threadsafe_function makeWakeUp(napi_env env, napi_value callback, const char* name) {
  napi_value resource;
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &resource);
  napi_threadsafe_function function = nullptr;
  napi_create_threadsafe_function(
      env, callback, nullptr, resource, 0, 1, nullptr, nullptr, nullptr,
      [](napi_env callEnv, napi_value target, void*, void*) {
        if (!callEnv || !target) return;
        napi_value receiver;
        napi_get_undefined(callEnv, &receiver);
        napi_call_function(callEnv, receiver, target, 0, nullptr, nullptr);
      },
      &function);
  napi_unref_threadsafe_function(env, function);
  return function;
}

}  // namespace cloudeasyml::bindings
