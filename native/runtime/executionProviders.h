// Turns a list of execution providers into session options.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <string>
#include <vector>

#include "runtime/sessionRequest.h"

namespace cloudeasyml::runtime {

/// The short names ("cuda", "cpu") of the providers that the library was built with, best first.
std::vector<std::string> availableProviders();

/// Appends a provider. Throws Error(kProviderUnavailable) with ORT's own words where the
/// library has no such provider, or the provider's files or driver are missing.
void appendProvider(Ort::SessionOptions& options, const ProviderRequest& provider);

}  // namespace cloudeasyml::runtime
