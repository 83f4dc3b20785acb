// Execution providers that come in libraries of their own.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/sessionRequest.h"

namespace cloudeasyml::runtime {

/// The provider libraries that an environment has loaded, by the short names that sessions ask for.
class ProviderLibraries {
 public:
  /// Loads a library for each pair of a name and a path.
  ///
  /// Throws Error("library_unavailable") where one is missing or holds no execution provider.
  void load(Ort::Env& env, const KeyValues& paths);

  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return paths_.count(name) > 0; }

  /// Whether a provider computes in memory of its own.
  bool hasDeviceMemory(const Ort::Env& env, const std::string& name) const;

  /// Appends a loaded provider. Its options `deviceType` ("cpu", "gpu" or "npu") and `device_id`
  /// choose among the devices that it finds; without them it gets the first.
  ///
  /// Throws Error("provider_unavailable") where there is no such device, or Ort::Exception.
  void append(Ort::Env& env, Ort::SessionOptions& options, const ProviderRequest& provider) const;

 private:
  std::vector<Ort::ConstEpDevice> devicesOf(const Ort::Env& env, const std::string& name) const;

  std::unordered_map<std::string, std::string> paths_;
};

}  // namespace cloudeasyml::runtime
