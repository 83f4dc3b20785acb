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

/// Whether the whole body is JSON; for a body that is refused before a worker reads it.
bool isJson(const PaddedBuffer& body);

/// Reads bodies for one thread: it keeps the parser's memory from one to the next.
class RequestReader {
 public:
  /// Reads `data` into tensors.
  /// @param outputNames what `options.outputs` may name
  /// @throws RequestError malformed_json or invalid_input
  void read(const PaddedBuffer& body, const std::vector<InputSpec>& specs,
            const std::vector<std::string>& outputNames, ParsedRequest& out);

  /// Counts the rows of `data` for plugins that read the body themselves: an array's elements,
  /// else 1.
  /// @throws RequestError malformed_json, or invalid_input where there is no `data`
  uint32_t countRows(const PaddedBuffer& body);

 private:
  using Field = std::function<void(std::string_view key, simdjson::ondemand::value value)>;
  void walk(const PaddedBuffer& body, const Field& field);
  void readData(simdjson::ondemand::value value, const std::vector<InputSpec>& specs,
                ParsedRequest& out);
  void readOptions(simdjson::ondemand::value value, const std::vector<std::string>& outputNames,
                   ParsedRequest& out);

  simdjson::ondemand::parser parser_;
};

}  // namespace cloudeasyml::codec
