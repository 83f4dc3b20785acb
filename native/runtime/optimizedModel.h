// The optimised form of a model, kept in a folder from one start to the next.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <string>

namespace cloudeasyml::runtime {

/// Has ORT write the optimised form of the model that it opens. What is not kept is removed.
class OptimizedModelWriter {
 public:
  /// `path` is where the form goes when it is whole.
  explicit OptimizedModelWriter(const std::string& path);
  OptimizedModelWriter(const OptimizedModelWriter&) = delete;
  OptimizedModelWriter& operator=(const OptimizedModelWriter&) = delete;
  ~OptimizedModelWriter();

  /// Adds to the options of the session what has the form written. `modelBytes` is about how much
  /// it takes: an ONNX file holds 2 GB at most, so that the weights of large models go into a file
  /// beside it.
  void addTo(Ort::SessionOptions& options, uint64_t modelBytes) const;

  /// Puts the form in its place, unless another process was there first.
  void keep();

 private:
  std::string path_;
  std::string temporary_;
  std::string weights_;
  bool kept_ = false;
};

/// Removes an optimised model and the file that holds its weights.
void removeOptimizedModel(const std::string& path);

}  // namespace cloudeasyml::runtime
