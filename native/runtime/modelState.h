// Tells one state of a model from any other.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/sessionRequest.h"

namespace cloudeasyml::runtime {

/// What a model consists of at one moment.
struct ModelState {
  /// Of its file, or of its bytes.
  std::string model;
  /// Of the files that hold its weights; empty where it has none.
  std::string weights;
  /// How much all of it takes.
  uint64_t bytes = 0;

  std::string text() const { return model + weights; }
};

/// The state of a request's model. It changes with its file and with every file that holds weights
/// of it.
///
/// Throws Error("model_load_failed") where the model's file can't be read. Weights that are missing
/// are a state, too: loading tells of them better.
ModelState modelState(const SessionRequest& request);

}  // namespace cloudeasyml::runtime
