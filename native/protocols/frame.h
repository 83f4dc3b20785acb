// The frames of a connection that carries many requests: what a client's say, and the engine's.
//
// A text frame is a JSON object. A binary frame is a header's length (uint32, little-endian), the
// header, which is the same JSON object, and the bytes of the tensors that its "tensors" lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "generated/constants.h"
#include "protocols/envelope.h"

namespace cloudeasyml::protocols {

/// Bytes in front of a binary frame's header.
constexpr size_t kFrameLengthBytes = BinaryFrame::kLengthBytes;

/// The header of a binary frame; a view of null where the length is not one of a header in it.
std::string_view frameHeader(std::string_view frame) noexcept;

/// Writes the length of a frame's header, kFrameLengthBytes bytes.
void writeFrameLength(char* out, size_t length) noexcept;

/// What a client's frame asks for. Views lie in the frame.
struct Frame {
  /// As the client wrote it: quotes and escapes included.
  std::string_view id;
  std::string_view deploymentId;
  /// "data", or tensors.
  bool hasData = false;
  bool stream = false;
  bool end = false;
  bool cancel = false;
  /// Asks for binary answers.
  bool binary = false;
  Envelope envelope;
};

/// Reads the members of a frame's object that concern the connection.
/// @param json a text frame, or a binary frame's header
/// @param out what was read before a fault, too
FrameFault scanFrame(std::string_view json, Frame& out) noexcept;

/// A frame for a client, put together from a head, an answer without its opening brace, and a tail.
class FrameWriter {
 public:
  /// @param head such as `{"id":7,"done":true,`
  /// @param answer a JSON object, or a binary frame where `binary`; empty for what has no answer
  /// @param tail what closes what the head opened beyond one brace: "}" or nothing
  FrameWriter(std::string_view head, std::string_view answer, std::string_view tail, bool binary);

  size_t size() const noexcept { return size_; }
  /// Writes size() bytes.
  void write(char* out) const noexcept;

 private:
  std::string_view head_;
  /// JSON text behind the head.
  std::string_view text_;
  std::string_view tail_;
  std::string_view tensors_;
  bool binary_;
  /// Spaces behind a header, so that the tensors begin where vector instructions like it.
  size_t padding_ = 0;
  size_t size_;
};

}  // namespace cloudeasyml::protocols
