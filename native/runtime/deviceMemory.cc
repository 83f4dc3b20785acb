#include "runtime/deviceMemory.h"

#include <algorithm>
#include <cctype>

#include "runtime/error.h"

namespace cloudeasyml::runtime {

namespace {

Ort::MemoryInfo ordinaryMemory() {
  return Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
}

bool isOnDevice(const Ort::ConstMemoryInfo& memory) {
  return memory.GetDeviceType() != OrtMemoryInfoDeviceType_CPU &&
         memory.GetDeviceMemoryType() == OrtDeviceMemoryType_DEFAULT;
}

/// The CPU's memory that this device copies to fastest. Most providers have none.
Ort::MemoryInfo pinnedMemoryFor(const Ort::Session& session, const Ort::ConstMemoryInfo& device) {
  Ort::MemoryInfo pinned("pinned", device.GetDeviceType(), device.GetVendorId(),
                         static_cast<uint32_t>(device.GetDeviceId()),
                         OrtDeviceMemoryType_HOST_ACCESSIBLE, 0, OrtDeviceAllocator);
  try {
    Ort::Allocator probe(session, pinned);
    return pinned;
  } catch (const Ort::Exception&) {
    return ordinaryMemory();
  }
}

}  // namespace

std::string locationOf(const Ort::ConstMemoryInfo& memory) {
  if (!isOnDevice(memory)) return "cpu";
  std::string name = memory.GetAllocatorName();
  // WebGPU's is "WebGPU_Buf".
  name.resize(std::min(name.size(), name.find('_')));
  for (char& letter : name) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return name;
}

DeviceMemory::DeviceMemory(Ort::Session& session)
    : cpu_(ordinaryMemory()), pinned_(ordinaryMemory()) {
  std::vector<Ort::ConstMemoryInfo> memories;
  try {
    outputs_ = session.GetMemoryInfoForOutputs();
    memories = session.GetMemoryInfoForInputs();
  } catch (const Ort::Exception& failure) {
    unknown_ = failure.what();
  }
  memories.insert(memories.begin(), outputs_.begin(), outputs_.end());
  const auto device = std::find_if(memories.begin(), memories.end(), isOnDevice);
  if (device == memories.end()) return;
  hasDevice_ = true;
  pinned_ = pinnedMemoryFor(session, *device);
}

const OrtMemoryInfo* DeviceMemory::at(size_t output, const std::string& location) const {
  if (location == "cpu") return cpu_;
  if (location == "pinned") return pinned_;
  if (location != "device") {
    throw Error(
        ErrorCode::kInvalidInput,
        "Expected \"cpu\", \"pinned\" or \"device\" for an output's location but received \"" +
            location + "\".");
  }
  if (output < outputs_.size()) return outputs_[output];
  throw Error(ErrorCode::kInvalidInput,
              "ONNX Runtime does not know where this session computes its outputs: " + unknown_ +
                  " Bind them to \"cpu\".");
}

}  // namespace cloudeasyml::runtime
