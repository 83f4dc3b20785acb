#include "runtime/optimizedModel.h"

#include <onnxruntime_session_options_config_keys.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "runtime/externalData.h"

namespace cloudeasyml::runtime {

namespace {

/// Well below what an ONNX file can hold: optimising may copy weights, or lay them out anew.
constexpr uint64_t kMostInOneFile = uint64_t{1} << 30;
/// What is smaller stays in the ONNX file.
constexpr char kLeastBesideBytes[] = "1024";

/// A suffix that no other process, and no other start, writes to.
std::string uniqueSuffix() {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return "." + std::to_string(getpid()) + "-" + std::to_string(now);
}

std::string folderOf(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

}  // namespace

OptimizedModelWriter::OptimizedModelWriter(const std::string& path)
    : path_(path), temporary_(path + uniqueSuffix()), weights_(temporary_ + ".data") {}

OptimizedModelWriter::~OptimizedModelWriter() {
  std::remove(temporary_.c_str());
  if (!kept_) std::remove(weights_.c_str());
}

void OptimizedModelWriter::addTo(Ort::SessionOptions& options, uint64_t modelBytes) const {
  options.SetOptimizedModelFilePath(temporary_.c_str());
  if (modelBytes <= kMostInOneFile) return;
  const std::string name = weights_.substr(folderOf(weights_).size());
  options.AddConfigEntry(kOrtSessionOptionsOptimizedModelExternalInitializersFileName,
                         name.c_str());
  options.AddConfigEntry(kOrtSessionOptionsOptimizedModelExternalInitializersMinSizeInBytes,
                         kLeastBesideBytes);
}

void OptimizedModelWriter::keep() {
  // rename() would leave the weights of a form that it replaces without an owner. It is for file
  // systems without links.
  kept_ = link(temporary_.c_str(), path_.c_str()) == 0 ||
          (errno != EEXIST && std::rename(temporary_.c_str(), path_.c_str()) == 0);
}

void removeOptimizedModel(const std::string& path) {
  const auto weights = externalDataFiles(path);
  std::remove(path.c_str());
  for (const auto& file : weights) {
    const bool isBeside = file.find('/') == std::string::npos;
    if (isBeside) std::remove((folderOf(path) + file).c_str());
  }
}

}  // namespace cloudeasyml::runtime
