#include "runtime/modelState.h"

#include <onnxruntime_session_options_config_keys.h>
#include <sys/stat.h>

#include "runtime/error.h"
#include "runtime/externalData.h"

namespace cloudeasyml::runtime {

namespace {

struct FileState {
  std::string identity = "none";
  uint64_t bytes = 0;
  bool isFile = false;
};

FileState stateOf(const std::string& path) {
  FileState state;
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return state;
#ifdef __APPLE__
  const timespec modified = info.st_mtimespec, changed = info.st_ctimespec;
#else
  const timespec modified = info.st_mtim, changed = info.st_ctim;
#endif
  state.identity = "file";
  for (const long long part :
       {static_cast<long long>(info.st_dev), static_cast<long long>(info.st_ino),
        static_cast<long long>(info.st_size), static_cast<long long>(modified.tv_sec),
        static_cast<long long>(modified.tv_nsec), static_cast<long long>(changed.tv_sec),
        static_cast<long long>(changed.tv_nsec)}) {
    state.identity += ":" + std::to_string(part);
  }
  state.bytes = static_cast<uint64_t>(info.st_size);
  state.isFile = true;
  return state;
}

/// Where ORT looks for the files that hold weights.
std::string weightsFolder(const SessionRequest& request) {
  for (const auto& [key, value] : request.configEntries) {
    if (key == kOrtSessionOptionsModelExternalInitializersFileFolderPath) return value + "/";
  }
  const size_t slash = request.path.rfind('/');
  return slash == std::string::npos ? "" : request.path.substr(0, slash + 1);
}

}  // namespace

ModelState modelState(const SessionRequest& request) {
  ModelState state;
  std::vector<std::string> files;
  if (request.path.empty()) {
    state.model = "bytes:" + request.contentHash;
    state.bytes = request.byteLength;
    files = externalDataFiles(request.bytes, request.byteLength);
  } else {
    const auto model = stateOf(request.path);
    if (!model.isFile) {
      throw Error(ErrorCode::kModelLoadFailed,
                  "The model \"" + request.path + "\" is not a file that can be read.");
    }
    state.model = model.identity;
    state.bytes = model.bytes;
    files = externalDataFiles(request.path);
  }
  const std::string folder = weightsFolder(request);
  for (const auto& file : files) {
    const auto weights = stateOf(folder + file);
    state.weights += "|" + file + "|" + weights.identity;
    state.bytes += weights.bytes;
  }
  return state;
}

}  // namespace cloudeasyml::runtime
