// Runs whose tensors may lie in a device's memory.
#pragma once

#include <napi.h>

namespace cloudeasyml::bindings {

void registerIoBinding(Napi::Env env, Napi::Object exports);

}  // namespace cloudeasyml::bindings
