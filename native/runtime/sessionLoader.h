// Opens models.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <memory>

#include "runtime/session.h"
#include "runtime/sessionRequest.h"

namespace cloudeasyml::runtime {

/// Opens the model that `request` describes, in `env`.
///
/// Where the request names a place for the optimised model and there is one, that is what it opens;
/// otherwise it leaves one there. Throws Error(kModelLoadFailed |
/// kProviderUnavailable).
std::unique_ptr<Session> loadSession(Ort::Env& env, const SessionRequest& request);

}  // namespace cloudeasyml::runtime
