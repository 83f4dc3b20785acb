// The weights that a model keeps in files of their own.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cloudeasyml::runtime {

/// The names of the files that hold weights of an ONNX model, as the model gives them: relative to
/// its folder. Sorted, each once. Reads what names them and skips the weights, so that it takes
/// little time and memory for a model of any size. What is no ONNX model has none.
std::vector<std::string> externalDataFiles(const std::string& path);

/// The same for a model in memory.
std::vector<std::string> externalDataFiles(const void* bytes, size_t size);

}  // namespace cloudeasyml::runtime
