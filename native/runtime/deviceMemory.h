// Where a session's outputs lie: the CPU's memory or a device's.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <string>
#include <vector>

namespace cloudeasyml::runtime {

/// The name of a tensor's memory: "cpu" for what the CPU can read, else the device's, such as
/// "cuda" or "webgpu".
std::string locationOf(const Ort::ConstMemoryInfo& memory);

/// What ORT says of the memory that a loaded session computes in.
class DeviceMemory {
 public:
  /// `session` must outlive this object.
  explicit DeviceMemory(Ort::Session& session);

  /// Whether any input or output of the session lies outside the CPU's memory.
  bool hasDevice() const noexcept { return hasDevice_; }

  /// Memory that ORT can leave an output in: "cpu"; "pinned", the CPU's memory that the device
  /// copies to fastest, ordinary memory where it has none; "device", where the run computes this
  /// output, which is the CPU's memory for nodes that run on the CPU.
  ///
  /// Throws Error("invalid_input") for any other name, and for "device" where ORT doesn't know.
  const OrtMemoryInfo* at(size_t output, const std::string& location) const;
  const OrtMemoryInfo* pinned() const noexcept { return pinned_; }

 private:
  std::vector<Ort::ConstMemoryInfo> outputs_;
  std::string unknown_;
  bool hasDevice_ = false;
  Ort::MemoryInfo cpu_;
  Ort::MemoryInfo pinned_;
};

}  // namespace cloudeasyml::runtime
