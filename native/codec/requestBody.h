// Reading a prediction request's JSON body.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "codec/paddedBuffer.h"
#include "codec/rowReader.h"

namespace cloudeasyml::codec {

/// A body read for a model: one tensor per input, and what the options ask for.
struct ParsedRequest {
  std::vector<RowTensor> inputs;
  /// Rows of every input that has a batch axis.
  uint32_t rows = 0;
  /// The outputs that `options.outputs` names, in its order; empty asks for all.
  std::vector<uint32_t> outputs;
};

/// A request's bytes: JSON, or a binary frame.
struct Body {
  const PaddedBuffer& bytes;
  bool binary = false;

  /// The JSON in it: all of it, or the frame's header.
  std::string_view json() const noexcept;
};

/// Whether the whole body is JSON; for a body that is refused before a worker reads it.
bool isJson(const Body& body);

/// Reads bodies for one thread: it keeps the parser's memory from one to the next.
class RequestReader {
 public:
  /// Reads `data`, or a binary frame's tensors, into tensors.
  /// @param outputNames what `options.outputs` may name
  /// @throws RequestError malformed_json or invalid_input
  void read(const Body& body, const std::vector<InputSpec>& specs,
            const std::vector<std::string>& outputNames, ParsedRequest& out);

  /// Counts the rows of `data` for plugins that read the body themselves: an array's elements, or
  /// the rows of a tensor that is all the data there is, else 1.
  /// @throws RequestError malformed_json, or invalid_input where there is no `data`
  uint32_t countRows(const Body& body);

 private:
  using Field = std::function<void(std::string_view key, simdjson::ondemand::value value)>;
  void walk(const Body& body, const Field& field);
  void readData(simdjson::ondemand::value value, const std::vector<InputSpec>& specs,
                ParsedRequest& out);
  void readOptions(simdjson::ondemand::value value, const std::vector<std::string>& outputNames,
                   ParsedRequest& out);

  simdjson::ondemand::parser parser_;
};

}  // namespace cloudeasyml::codec
