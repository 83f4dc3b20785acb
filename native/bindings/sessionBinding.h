// The handle by which JavaScript holds a session.
#pragma once

#include <napi.h>

#include <memory>

#include "runtime/session.h"

namespace cloudeasyml::bindings {

/// The session behind a handle that `openSession` gave out. Throws Error(kRuntimeFailed)
/// for a handle that was released, and Error(kInvalidInput) for anything else.
std::shared_ptr<runtime::Session> sessionFrom(Napi::Value handle);

}  // namespace cloudeasyml::bindings
