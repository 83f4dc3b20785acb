// Starting ONNX Runtime, and stopping what runs.
#pragma once

#include <napi.h>

#include "bindings/addonData.h"

namespace cloudeasyml::bindings {

void registerRuntime(Napi::Env env, Napi::Object exports, AddonData& data);

}  // namespace cloudeasyml::bindings
