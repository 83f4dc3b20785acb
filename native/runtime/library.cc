#include "runtime/library.h"

#include <dlfcn.h>

#include "runtime/error.h"

namespace cloudeasyml::runtime {

namespace {

std::string loaderMessage() {
  const char* message = dlerror();
  return message ? message : "the loader gave no reason";
}

}  // namespace

Library loadLibrary(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    throw Error(
        ErrorCode::kLibraryUnavailable,
        "The ONNX Runtime library \"" + path + "\" could not be loaded: " + loaderMessage() + ".");
  }
  using GetApiBase = const OrtApiBase*(ORT_API_CALL*)() NO_EXCEPTION;
  const auto getApiBase = reinterpret_cast<GetApiBase>(dlsym(handle, "OrtGetApiBase"));
  if (!getApiBase) {
    throw Error(ErrorCode::kLibraryUnavailable,
                "The library \"" + path + "\" is not ONNX Runtime: it has no OrtGetApiBase.");
  }
  const OrtApiBase* base = getApiBase();
  Library library;
  library.version = base->GetVersionString();
  library.api = base->GetApi(ORT_API_VERSION);
  if (!library.api) {
    throw Error(ErrorCode::kLibraryUnavailable,
                "The ONNX Runtime library \"" + path + "\" is version " + library.version +
                    ", but version 1." + std::to_string(ORT_API_VERSION) + " or later is needed.");
  }
  return library;
}

}  // namespace cloudeasyml::runtime
