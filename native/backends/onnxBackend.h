// A model that the engine runs by itself.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/batchContract.h"
#include "protocols/signature.h"
#include "runtime/cancellation.h"
#include "runtime/session.h"
#include "serving/backend.h"

namespace cloudeasyml::backends {

struct OnnxOptions {
  /// JSON text of an object that every answer carries.
  std::string metadata = "{}";
  BatchAxis batchAxis = BatchAxis::kAuto;
  /// Rows that one run holds at most; 0 for a model that does not batch.
  uint32_t maxBatchSize = 32;
  /// Class names by output; "" stands for the only output that they fit.
  std::unordered_map<std::string, std::vector<std::string>> labels;
};

/// A session as a function from requests to answers.
class OnnxBackend final : public serving::Backend {
 public:
  /// Decides how requests become runs, and tries it where shapes can't tell, which may take as long
  /// as a few runs do.
  ///
  /// @param runs where runs can be cancelled that try the model
  /// @throws Error model_load_failed where no answer can carry the model's types, or its shapes
  /// contradict the options; invalid_input where labels fit no output
  OnnxBackend(std::shared_ptr<runtime::Session> session, const OnnxOptions& options,
              runtime::RunRegistry& runs);

  std::unique_ptr<serving::ExecutionContext> makeContext() const override;
  bool isNative() const noexcept override { return true; }
  bool joinsRequests() const noexcept override { return contract_.joined; }

  runtime::Session& session() const noexcept { return *session_; }
  const protocols::Signature& signature() const noexcept { return signature_; }
  const BatchContract& contract() const noexcept { return contract_; }
  /// Rows that one run holds at most; 0 where a run takes whatever a request brings.
  size_t rowsPerRun() const noexcept { return rowsPerRun_; }
  /// Bytes that a row takes in those outputs whose shapes the model declares.
  size_t declaredRowBytes() const noexcept { return declaredRowBytes_; }

 private:
  void setLabels(const OnnxOptions& options);
  void readContract();

  std::shared_ptr<runtime::Session> session_;
  protocols::Signature signature_;
  BatchContract contract_;
  size_t rowsPerRun_ = 0;
  size_t declaredRowBytes_ = 0;
};

}  // namespace cloudeasyml::backends
