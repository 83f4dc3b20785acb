// Pairs of texts from JavaScript.
#pragma once

#include <napi.h>

#include "runtime/sessionRequest.h"

namespace cloudeasyml::bindings {

/// Reads [[key, value], …].
inline runtime::KeyValues keyValuesFrom(Napi::Value value) {
  runtime::KeyValues pairs;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto pair = array.Get(i).As<Napi::Array>();
    pairs.emplace_back(pair.Get(0u).ToString().Utf8Value(), pair.Get(1u).ToString().Utf8Value());
  }
  return pairs;
}

}  // namespace cloudeasyml::bindings
