// Where tensors can lie besides the CPU's ordinary memory.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <string>

#include "runtime/session.h"

namespace cloudeasyml::runtime {

/// Where an output can be asked to lie: "device" is the own memory of the session's first provider
/// (the CPU's, where that has none), "pinned" the CPU's memory that this provider copies fastest.
///
/// Throws Error(kInvalidInput) for any other name but "cpu".
Ort::MemoryInfo memoryAt(const Session& session, const std::string& location);

/// Whether the session's first provider has memory of its own.
bool hasDeviceMemory(const Session& session) noexcept;

}  // namespace cloudeasyml::runtime
