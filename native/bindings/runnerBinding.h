// Synchronous runs.
#pragma once

#include <napi.h>

namespace cloudeasyml::bindings {

void registerRunner(Napi::Env env, Napi::Object exports);

}  // namespace cloudeasyml::bindings
