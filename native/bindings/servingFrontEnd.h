// A socket thread's door to the engine.
#pragma once

#include <napi.h>

namespace cloudeasyml::bindings {

/// createFrontEnd(onCompletions, maxBytes, records, outbox): see src/engine/frontEnd.ts.
Napi::Value createFrontEnd(const Napi::CallbackInfo& info);

}  // namespace cloudeasyml::bindings
