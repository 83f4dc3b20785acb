// Turns a list of execution providers into session options.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <string>
#include <vector>

#include "runtime/providerLibraries.h"
#include "runtime/sessionRequest.h"

namespace cloudeasyml::runtime {

/// The short names ("cuda", "cpu") of the providers that there are: those of libraries of their
/// own, then those that ONNX Runtime was built with, best first.
std::vector<std::string> availableProviders(const ProviderLibraries& libraries);

/// Appends a provider, of a library of its own where one has that name. Throws
/// Error("provider_unavailable") with ORT's own words where there is no such provider, or where its
/// files, its driver or its device are missing.
void appendProvider(Ort::Env& env, const ProviderLibraries& libraries, Ort::SessionOptions& options,
                    const ProviderRequest& provider);

}  // namespace cloudeasyml::runtime
