// A model that the engine serves without a plugin's code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocols/jsonTensors.h"
#include "runtime/session.h"

namespace cloudeasyml::serving {

/// A session seen as a function from rows to rows: the first axis of every input is the batch.
class OnnxModel {
 public:
  /// @param metadata JSON text that every answer carries
  /// @throws Error model_load_failed where an input's or output's type has no form in JSON
  OnnxModel(std::shared_ptr<runtime::Session> session, std::string metadata);

  runtime::Session& session() const noexcept { return *session_; }
  const std::string& metadata() const noexcept { return metadata_; }
  const std::vector<protocols::InputSpec>& inputs() const noexcept { return inputs_; }
  const std::vector<std::string>& outputNames() const noexcept { return outputNames_; }
  /// The batch axis' length where the graph fixes it, else 0.
  int64_t fixedBatch() const noexcept { return fixedBatch_; }
  /// Describes caller-owned memory to ORT.
  const Ort::MemoryInfo& cpuMemory() const noexcept { return cpuMemory_; }

 private:
  std::shared_ptr<runtime::Session> session_;
  std::string metadata_;
  std::vector<protocols::InputSpec> inputs_;
  std::vector<std::string> outputNames_;
  int64_t fixedBatch_ = 0;
  Ort::MemoryInfo cpuMemory_ = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
};

}  // namespace cloudeasyml::serving
