// Which sessions must not touch their device at the same time.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/providerLibraries.h"
#include "runtime/sessionRequest.h"

namespace cloudeasyml::runtime {

/// Locks a mutex that may be null, which holds nothing.
inline std::unique_lock<std::mutex> lockIfAny(const std::shared_ptr<std::mutex>& mutex) {
  return mutex ? std::unique_lock(*mutex) : std::unique_lock<std::mutex>();
}

/// ORT guards the runs of one session. It does not guard what surrounds them, copies to and from
/// the device and freeing memory there, nor two sessions on one device. Where a provider does not
/// guard them either, all its sessions share one lock.
class DeviceLocks {
 public:
  /// The lock for sessions on these providers; null where they take calls from any thread.
  std::shared_ptr<std::mutex> of(const Ort::Env& env, const std::vector<ProviderRequest>& providers,
                                 const ProviderLibraries& libraries);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<std::mutex>> locks_;
};

}  // namespace cloudeasyml::runtime
