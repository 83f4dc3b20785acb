// Native failures as JavaScript errors, and the guards that keep C++ exceptions out of C.
#pragma once

#include <napi.h>

#include <string>

#include "runtime/error.h"

namespace cloudeasyml::bindings {

/// The exception in flight as a JavaScript error; to be called in a catch block. Null where the
/// environment is being torn down and makes none.
napi_value currentError(Napi::Env env) noexcept;

/// Throws the exception in flight as a JavaScript error; to be called in a catch block.
void throwCurrentException(Napi::Env env) noexcept;

/// Runs the body of what Node-API calls; what it throws becomes a JavaScript error.
template <typename Body>
auto guarded(napi_env env, Body&& body) noexcept {
  try {
    return body();
  } catch (...) {
    throwCurrentException(env);
    return decltype(body())();
  }
}

/// A hook that runs a member function when the environment ends. What it throws is dropped: nothing
/// is left to be told.
template <typename Self, void (Self::*function)()>
void cleanupHook(void* self) noexcept {
  try {
    (static_cast<Self*>(self)->*function)();
  } catch (...) {
  }
}

}  // namespace cloudeasyml::bindings
