// Running batches of a model without code: bytes to tensors to a run to bytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/onnxBackend.h"
#include "backends/recentPeak.h"
#include "backends/runModel.h"
#include "protocols/jsonRequest.h"
#include "protocols/protocol.h"
#include "serving/backend.h"
#include "serving/batch.h"

namespace cloudeasyml::backends {

/// Requests whose rows cannot be joined run apart. Where a joint run fails each request runs alone,
/// so that a bad one fails alone.
class OnnxContext final : public serving::ExecutionContext {
 public:
  /// @param backend must outlive it
  explicit OnnxContext(const OnnxBackend& backend) : backend_(backend) {}

  void read(serving::Request& request) override;
  void unread() noexcept override { --count_; }
  void run(const serving::Batch& batch, const runtime::CancellationToken& token) override;
  void clear() noexcept override;

 private:
  /// Requests of equal row shapes and equal shared inputs, by their place in the batch.
  using Places = std::vector<size_t>;

  struct Times {
    /// From the batch's start until the run began.
    int64_t formedNs;
    /// The request's share of what its group took.
    int64_t chargedNs;
  };

  std::vector<Places> joinableGroups() const;
  bool areJoinable(size_t a, size_t b) const;
  /// @returns false where the run failed; then nothing of the group has been answered
  bool attempt(const serving::Batch& batch, const Places& places, bool isLast,
               const runtime::CancellationToken& token);
  void runGroup(const serving::Batch& batch, const Places& places,
                const runtime::CancellationToken& token);
  std::vector<protocols::Chunk> runRows(const Group& group, size_t rows, size_t mostBytes,
                                        const runtime::CancellationToken& token);
  void requireRows(const std::vector<protocols::Chunk>& chunks) const;
  void answer(const serving::Batch& batch, serving::Request& request,
              const protocols::Answer& answer, const Times& times);

  const OnnxBackend& backend_;
  protocols::JsonReader reader_;
  /// The first `count_` are read; the rest keep their memory.
  std::vector<std::unique_ptr<protocols::DecodedRequest>> decoded_;
  size_t count_ = 0;
  ModelRunner runner_;
  // Of the group that runs: its requests, and what the outputs lie in.
  Group group_;
  std::vector<Ort::Value> memory_;
  size_t outputBytes_ = 0;
  /// Until when the batch's time has been charged to its requests.
  int64_t chargedUntilNs_ = 0;
  /// The answer that is being written.
  std::string encoded_;
  RecentPeak used_;
};

}  // namespace cloudeasyml::backends
