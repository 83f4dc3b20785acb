// Opens models.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <memory>
#include <mutex>

#include "runtime/providerLibraries.h"
#include "runtime/session.h"
#include "runtime/sessionRequest.h"

namespace cloudeasyml::runtime {

/// Opens the model that `request` describes, in `env`.
///
/// Where the request names a place for the optimised model and there is one, that is what it opens;
/// otherwise it leaves one there. The session gets `deviceLock`, which the caller holds meanwhile.
/// Throws Error("model_load_failed" | "provider_unavailable").
std::unique_ptr<Session> loadSession(Ort::Env& env, const ProviderLibraries& libraries,
                                     const SessionRequest& request,
                                     std::shared_ptr<std::mutex> deviceLock);

}  // namespace cloudeasyml::runtime
