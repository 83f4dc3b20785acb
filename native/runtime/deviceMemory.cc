#include "runtime/deviceMemory.h"

#include "runtime/error.h"

namespace cloudeasyml::runtime {

namespace {

/// ORT's names for a provider's memory.
struct DeviceMemory {
  const char* provider;
  const char* device;
  const char* pinned;
};

constexpr DeviceMemory kDeviceMemories[] = {
    {"cuda", "Cuda", "CudaPinned"},
    {"tensorrt", "Cuda", "CudaPinned"},
};

const DeviceMemory* memoryOf(const Session& session) noexcept {
  for (const auto& memory : kDeviceMemories) {
    if (session.providers().front() == memory.provider) return &memory;
  }
  return nullptr;
}

}  // namespace

Ort::MemoryInfo memoryAt(const Session& session, const std::string& location) {
  const bool device = location == "device";
  if (!device && location != "pinned" && location != "cpu") {
    throw Error(
        ErrorCode::kInvalidInput,
        "Expected \"cpu\", \"pinned\" or \"device\" for an output's location but received \"" +
            location + "\".");
  }
  const DeviceMemory* memory = location == "cpu" ? nullptr : memoryOf(session);
  if (!memory) return Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  return Ort::MemoryInfo(device ? memory->device : memory->pinned, OrtDeviceAllocator,
                         session.deviceId(), device ? OrtMemTypeDefault : OrtMemTypeCPUOutput);
}

bool hasDeviceMemory(const Session& session) noexcept { return memoryOf(session) != nullptr; }

}  // namespace cloudeasyml::runtime
