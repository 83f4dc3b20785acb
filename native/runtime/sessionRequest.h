// What a session is opened from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <onnxruntime_c_api.h>

namespace cloudeasyml::runtime {

using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// An execution provider by its short name ("cuda", "cpu"), and its options.
struct ProviderRequest {
  std::string name;
  KeyValues options;
};

/// A model, and how to open it. JavaScript checked the values.
struct SessionRequest {
  /// The model's file, or "" where `bytes` holds the model.
  std::string path;
  const void* bytes = nullptr;
  size_t byteLength = 0;
  /// SHA-256 of `bytes`: what tells two such models apart.
  std::string contentHash;
  /// The options in one canonical text: equal texts mean equal options.
  std::string optionsKey;

  /// In order of preference. The CPU takes what all others leave, listed or not.
  std::vector<ProviderRequest> providers;
  GraphOptimizationLevel optimization = ORT_ENABLE_ALL;
  /// 0 shares the process's pool.
  int intraOpThreads = 0;
  int interOpThreads = 0;
  bool memoryPattern = true;
  bool cpuArena = true;
  KeyValues configEntries;
  /// Where the optimised model is kept from one start to the next, or "".
  std::string optimizedModelPath;
  /// The state of the model that `optimizedModelPath` is named for: ModelState::text().
  std::string optimizedState;
};

}  // namespace cloudeasyml::runtime
