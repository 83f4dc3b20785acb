// Loads ONNX Runtime at run time, so that one build of the addon serves CPU and GPU builds of it.
#pragma once

#include <onnxruntime_c_api.h>

#include <string>

namespace cloudeasyml::runtime {

/// A loaded ONNX Runtime library. It is never unloaded: its threads and statics outlive any owner.
struct Library {
  const OrtApi* api = nullptr;
  std::string version;
};

/// Loads the library at `path`. Throws Error(kLibraryUnavailable) where it is missing,
/// is not ONNX Runtime, or is older than the API that the addon was built for.
Library loadLibrary(const std::string& path);

}  // namespace cloudeasyml::runtime
