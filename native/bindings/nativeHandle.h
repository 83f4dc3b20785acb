// Native objects that JavaScript holds and can't look into.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "runtime/error.h"

namespace cloudeasyml::bindings {

/// Makes an object that keeps a native one alive. `tag` tells handles of different kinds apart.
template <typename T>
Napi::Object makeHandle(Napi::Env env, const napi_type_tag& tag, std::shared_ptr<T> held) {
  auto object = Napi::Object::New(env);
  auto owned = std::make_unique<std::shared_ptr<T>>(std::move(held));
  const auto finalize = [](napi_env, void* data, void*) {
    delete static_cast<std::shared_ptr<T>*>(data);
  };
  if (napi_type_tag_object(env, object, &tag) != napi_ok ||
      napi_wrap(env, object, owned.get(), finalize, nullptr, nullptr) != napi_ok) {
    throw Napi::Error::New(env);
  }
  owned.release();
  return object;
}

/// What a handle of this kind holds.
/// @throws Error invalid_input for anything else
template <typename T>
std::shared_ptr<T>& heldBy(Napi::Value handle, const napi_type_tag& tag, const char* expected) {
  bool isTagged = false;
  void* held = nullptr;
  if (!handle.IsObject() ||
      napi_check_object_type_tag(handle.Env(), handle, &tag, &isTagged) != napi_ok || !isTagged ||
      napi_unwrap(handle.Env(), handle, &held) != napi_ok) {
    throw Error(ErrorCode::kInvalidInput, expected);
  }
  return *static_cast<std::shared_ptr<T>*>(held);
}

}  // namespace cloudeasyml::bindings
