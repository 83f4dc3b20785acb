#include "runtime/deviceLocks.h"

namespace cloudeasyml::runtime {

namespace {

/// WebGPU's device, queue and buffers belong to the process, and nothing guards them. CUDA and
/// TensorRT take calls from any thread.
bool needsLock(const std::string& provider) { return provider == "webgpu"; }

}  // namespace

std::shared_ptr<std::mutex> DeviceLocks::of(const std::vector<ProviderRequest>& providers) {
  for (const auto& provider : providers) {
    if (!needsLock(provider.name)) continue;
    std::lock_guard guard(mutex_);
    auto& lock = locks_[provider.name];
    if (!lock) lock = std::make_shared<std::mutex>();
    return lock;
  }
  return nullptr;
}

}  // namespace cloudeasyml::runtime
