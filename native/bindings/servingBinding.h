#pragma once

#include <napi.h>

#include "bindings/addonData.h"

namespace cloudeasyml::bindings {

void registerServing(Napi::Env env, Napi::Object exports, AddonData& data);

}  // namespace cloudeasyml::bindings
