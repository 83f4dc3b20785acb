// Synchronous runs.
#pragma once

#include <napi.h>

#include "bindings/addonData.h"

namespace cloudeasyml::bindings {

void registerRunner(Napi::Env env, Napi::Object exports, AddonData& data);

}  // namespace cloudeasyml::bindings
