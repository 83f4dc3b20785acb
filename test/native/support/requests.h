// Request bodies as the tests and fuzz targets read them. All that is known here of the protocols'
// reading side is in requests.cc.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloudeasyml::test {

/// What a model's input takes.
struct Input {
  std::string name;
  ONNXTensorElementDataType type;
  /// The axes behind the batch axis; -1 where each request may choose.
  std::vector<int64_t> rowDims;
  bool batched = true;
};

struct Signature {
  std::vector<Input> inputs;
  std::vector<std::string> outputs = {"y"};
};

/// A model with one input, "x", by rows.
inline Signature oneInput(ONNXTensorElementDataType type, std::vector<int64_t> rowDims) {
  return {{{"x", type, std::move(rowDims)}}};
}

/// An input as it was read.
struct ReadTensor {
  std::vector<int64_t> rowDims;
  uint32_t rows = 0;
  std::string bytes;
  std::vector<std::string> strings;

  bool operator==(const ReadTensor& other) const {
    return rowDims == other.rowDims && rows == other.rows && bytes == other.bytes &&
           strings == other.strings;
  }

  template <typename T>
  std::vector<T> values() const {
    std::vector<T> all(bytes.size() / sizeof(T));
    if (!all.empty()) std::memcpy(all.data(), bytes.data(), all.size() * sizeof(T));
    return all;
  }
};

/// A body as it was read, or why it was refused.
struct ReadRequest {
  /// Of the fault; empty where the body was accepted.
  std::string code;
  std::string path;
  std::string detail;

  std::vector<ReadTensor> inputs;
  uint32_t rows = 0;
  std::vector<uint32_t> outputs;

  bool accepted() const { return code.empty(); }
  /// But for the text of a fault.
  bool operator==(const ReadRequest& other) const {
    return code == other.code && path == other.path && inputs == other.inputs &&
           rows == other.rows && outputs == other.outputs;
  }
};

/// Bytes that a client sent.
struct Sent {
  std::string_view bytes;
  bool binary = false;
  /// What the memory behind them holds: an earlier body's bytes, in a server.
  char behind = '\0';
};

/// Reads bodies one after the other, as a worker's thread does.
class Reader {
 public:
  Reader();
  ~Reader();

  ReadRequest read(const Sent& sent, const Signature& signature);

  /// The rows that a plugin's body counts as; 0 where it was refused.
  uint32_t countRows(const Sent& sent);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline ReadRequest read(const Sent& sent, const Signature& signature) {
  return Reader().read(sent, signature);
}

inline uint32_t countRows(const Sent& sent) { return Reader().countRows(sent); }

bool isJson(const Sent& sent);

/// The size of an element; 0 for strings.
size_t elementSize(ONNXTensorElementDataType type);

/// The type's name in a binary frame's header.
std::string elementName(ONNXTensorElementDataType type);

}  // namespace cloudeasyml::test
