// Node-API callbacks as JavaScript functions.
#pragma once

#include <napi.h>

#include <memory>

namespace cloudeasyml::bindings {

inline void defineFunction(Napi::Env env, Napi::Object exports, const char* name,
                           napi_callback callback) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) != napi_ok) {
    throw Napi::Error::New(env);
  }
  exports.Set(name, Napi::Value(env, function));
}

/// A function with an object of its own, which it finds without unwrapping `this`: a call's cost.
template <typename T>
void defineMethod(Napi::Env env, Napi::Object target, const char* name, napi_callback callback,
                  const std::shared_ptr<T>& object) {
  auto data = std::make_unique<std::shared_ptr<T>>(object);
  napi_value function;
  const auto finalize = [](napi_env, void* data, void*) {
    delete static_cast<std::shared_ptr<T>*>(data);
  };
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data.get(), &function) !=
          napi_ok ||
      napi_add_finalizer(env, function, data.get(), finalize, nullptr, nullptr) != napi_ok) {
    throw Napi::Error::New(env);
  }
  data.release();
  target.Set(name, Napi::Value(env, function));
}

/// The object of a function that defineMethod made.
template <typename T>
T& objectOf(void* data) {
  return **static_cast<std::shared_ptr<T>*>(data);
}

}  // namespace cloudeasyml::bindings
