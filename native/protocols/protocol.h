// What a wire format is to the engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/answerGuard.h"
#include "protocols/paddedBuffer.h"
#include "protocols/signature.h"
#include "protocols/tensor.h"
#include "protocols/value.h"
#include "runtime/failure.h"

namespace cloudeasyml::protocols {

class JsonReader;

/// A request, decoded for a model.
struct DecodedRequest {
  /// One per input of the model.
  std::vector<Tensor> inputs;
  /// Rows of every input that is by rows; 1 where none is.
  uint32_t rows = 0;
  /// The outputs that the request names, in its order; empty asks for all.
  std::vector<uint32_t> outputs;
  /// How many labels a row is answered with; 0 for the best one, bare.
  uint32_t topK = 0;
};

/// What a request's answer is made from. Everything is the caller's, for the length of a call.
struct Answer {
  const Signature& model;
  const std::vector<Chunk>& chunks;
  RowRange rows;
  const DecodedRequest& request;
  int64_t elapsedNs;
  const AnswerGuard& guard;
  /// Bytes of all outputs of the chunks.
  size_t outputBytes;
};

/// Turns bytes into requests, and results and failures into bytes. It knows nothing of queues or
/// sessions, keeps no state, and may be used from any thread.
class Protocol {
 public:
  virtual ~Protocol() = default;

  /// Reads a body into tensors for a model.
  /// @param reader the caller's thread's
  /// @throws RequestError
  virtual void decode(const PaddedBuffer& body, const Signature& model, JsonReader& reader,
                      DecodedRequest& out) const = 0;
  /// Counts the rows of a body that a plugin's code will read.
  /// @throws RequestError
  virtual uint32_t countRows(const PaddedBuffer& body, JsonReader& reader) const = 0;
  /// Whether the body is well-formed, whatever it says.
  virtual bool isWellFormed(const PaddedBuffer& body) const = 0;

  /// Writes an answer over `out`.
  /// @throws Error what the answer's guard throws; runtime_failed where an output has no form here
  virtual void encode(std::string& out, const Answer& answer) const = 0;
  /// Writes a failure over `out`.
  virtual void encodeFailure(std::string& out, const Failure& failure) const = 0;

  /// The body is bytes rather than text.
  virtual bool hasBinaryBody() const noexcept = 0;
  /// Answers are bytes rather than text.
  virtual bool hasBinaryAnswers() const noexcept = 0;
};

}  // namespace cloudeasyml::protocols
