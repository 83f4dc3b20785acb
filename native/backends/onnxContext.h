// Running batches of a model without code: JSON to tensors to Run to JSON.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <memory>
#include <vector>

#include "protocols/jsonRequest.h"
#include "runtime/cancellation.h"
#include "serving/batch.h"

namespace cloudeasyml::serving {

/// One worker's reader and scratch memory.
class OnnxRunner {
 public:
  /// Reads one more request of a batch that is being formed, and sets its `rows`.
  /// @throws protocols::RequestError
  void read(const OnnxModel& model, Request& request);
  /// Forgets the request read last: it goes into a later batch.
  void unread() noexcept { --count_; }
  /// Counts the rows of a request that a plugin's code will read.
  void countRows(Request& request) {
    request.rows = reader_.countRows({request.body, request.binary});
  }

  /// Runs the requests read since the last run and delivers each one's answer. Requests whose rows
  /// cannot be joined run apart; where a joint run fails, each runs alone, so that a bad one fails
  /// alone. An inline batch whose `token` is stopped may be left unanswered.
  void run(const Batch& batch, const runtime::CancellationToken& token);

 private:
  /// Requests of equal row shapes and equal scalars, by their place in the batch.
  using Group = std::vector<size_t>;

  bool joinable(size_t a, size_t b, const OnnxModel& model) const;
  void runGroup(const Batch& batch, const Group& group, const runtime::CancellationToken& token);
  std::vector<Ort::Value> runRows(const OnnxModel& model, const Group& group, size_t from,
                                  size_t count, size_t padded,
                                  const runtime::CancellationToken& token);
  Ort::Value inputValue(const OnnxModel& model, size_t input, const Group& group, size_t from,
                        size_t count, size_t padded, std::vector<char>& memory) const;

  protocols::RequestReader reader_;
  std::vector<std::unique_ptr<protocols::ParsedRequest>> parsed_;
  size_t count_ = 0;
  /// One buffer per input, for rows gathered from several requests.
  std::vector<std::vector<char>> gathered_;
};

}  // namespace cloudeasyml::serving
