// JavaScript's text as UTF-8.
#pragma once

#include <node_api.h>

#include <string>

namespace cloudeasyml::bindings {

/// @returns false where the value is no string; `out` is left as it is then
inline bool readText(napi_env env, napi_value value, std::string& out) {
  size_t size = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) return false;
  out.resize(size + 1);
  napi_get_value_string_utf8(env, value, out.data(), size + 1, &size);
  out.resize(size);
  return true;
}

}  // namespace cloudeasyml::bindings
