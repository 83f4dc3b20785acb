// Starting ONNX Runtime, and stopping what runs.
#pragma once

#include <napi.h>

namespace cloudeasyml::bindings {

void registerRuntime(Napi::Env env, Napi::Object exports);

}  // namespace cloudeasyml::bindings
