// The serving layer's face in JavaScript.
#pragma once

#include <napi.h>

namespace cloudeasyml::bindings {

class AddonData;

/// Adds createFrontEnd, createWorker and the deployments' functions to the addon's exports.
void registerServing(Napi::Env env, Napi::Object exports, AddonData& data);

}  // namespace cloudeasyml::bindings
