// A worker thread's door to the engine.
#pragma once

#include <napi.h>

namespace cloudeasyml::bindings {

/// createWorker(onWork): see src/engine/batchWorker.ts.
Napi::Value createWorker(const Napi::CallbackInfo& info);

}  // namespace cloudeasyml::bindings
