// Reading a prediction request's JSON.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocols/paddedBuffer.h"
#include "protocols/protocol.h"
#include "protocols/signature.h"

namespace cloudeasyml::protocols {

/// The JSON of a request's body, and the bytes of its tensors where it is a binary frame.
struct JsonSource {
  std::string_view json;
  /// Bytes that the parser may read from the start of `json`.
  size_t readable = 0;
  bool isFrame = false;
  std::string_view tensors;

  static JsonSource ofText(const PaddedBuffer& body) noexcept;
  /// Of a frame whose header's length is not one of a header in it the JSON is empty.
  static JsonSource ofFrame(const PaddedBuffer& body) noexcept;
};

/// Whether all of it is JSON; for a body that is refused before a worker reads it.
bool isJson(const JsonSource& source);

/// Reads bodies for one thread: it keeps the parser's memory from one to the next.
class JsonReader {
 public:
  /// Reads `data`, or a binary frame's tensors, into tensors.
  /// @throws RequestError malformed_json or invalid_input
  void read(const JsonSource& source, const Signature& model, DecodedRequest& out);

  /// Counts the rows of `data` for plugins that read the body themselves: an array's elements, or
  /// the rows of a tensor that is all the data there is, else 1.
  /// @throws RequestError malformed_json, or invalid_input where there is no `data`
  uint32_t countRows(const JsonSource& source);

 private:
  /// Calls visit(key, value) for each member of the request's object.
  template <typename Visit>
  void forEachMember(const JsonSource& source, Visit visit);

  simdjson::ondemand::parser parser_;
};

}  // namespace cloudeasyml::protocols
