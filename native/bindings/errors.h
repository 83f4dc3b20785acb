// Native failures as JavaScript errors.
#pragma once

#include <napi.h>

#include <string>

#include "runtime/error.h"

namespace cloudeasyml::bindings {

/// A JavaScript CloudEasyMLError with this code and message.
Napi::Value makeError(Napi::Env env, const char* code, const std::string& message);

/// Throws a JavaScript CloudEasyMLError once the native call returns.
void throwError(Napi::Env env, const char* code, const std::string& message) noexcept;

/// Throws the exception in flight as a JavaScript error; to be called in a catch block.
void throwCurrentException(Napi::Env env) noexcept;

/// Runs a callback's body; what it throws becomes a JavaScript error.
template <typename Body>
napi_value guarded(napi_env env, Body&& body) noexcept {
  try {
    return body();
  } catch (...) {
    throwCurrentException(env);
    return nullptr;
  }
}

}  // namespace cloudeasyml::bindings
