#include "runtime/deviceLocks.h"

namespace cloudeasyml::runtime {

namespace {

/// WebGPU's device, queue and buffers belong to the process, and nothing guards them. The other
/// providers that are built in take calls from any thread. What a library of its own does is not
/// known: it gets a lock if it has a device to guard.
bool needsLock(const Ort::Env& env, const std::string& provider,
               const ProviderLibraries& libraries) {
  return libraries.has(provider) ? libraries.hasDeviceMemory(env, provider) : provider == "webgpu";
}

}  // namespace

std::shared_ptr<std::mutex> DeviceLocks::of(const Ort::Env& env,
                                            const std::vector<ProviderRequest>& providers,
                                            const ProviderLibraries& libraries) {
  for (const auto& provider : providers) {
    if (!needsLock(env, provider.name, libraries)) continue;
    std::lock_guard guard(mutex_);
    auto& lock = locks_[provider.name];
    if (!lock) lock = std::make_shared<std::mutex>();
    return lock;
  }
  return nullptr;
}

}  // namespace cloudeasyml::runtime
