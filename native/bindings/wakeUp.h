// Waking a JavaScript thread from any other.
#pragma once

#include <napi.h>

namespace cloudeasyml::bindings {

/// Calls a JavaScript function without arguments in its thread's event loop, which it does not keep
/// alive. Made and destroyed on that thread.
class WakeUp {
 public:
  WakeUp(Napi::Env env, Napi::Function callback, const char* name) {
    if (napi_create_threadsafe_function(env, callback, nullptr, Napi::String::New(env, name), 0, 1,
                                        nullptr, nullptr, nullptr, call, &function_) != napi_ok) {
      throw Napi::Error::New(env);
    }
    napi_unref_threadsafe_function(env, function_);
  }
  ~WakeUp() { napi_release_threadsafe_function(function_, napi_tsfn_abort); }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  void wake() const noexcept {
    napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
  }

 private:
  static void call(napi_env env, napi_value callback, void*, void*) noexcept {
    if (!env || !callback) return;
    napi_value receiver = nullptr;
    napi_get_undefined(env, &receiver);
    napi_call_function(env, receiver, callback, 0, nullptr, nullptr);
  }

  napi_threadsafe_function function_ = nullptr;
};

}  // namespace cloudeasyml::bindings
