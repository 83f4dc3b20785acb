// A front end's functions for WebSocket frames and streams.
#include <utility>

#include "bindings/frontEnd.h"
#include "protocols/predictProtocol.h"

namespace cloudeasyml::bindings {

using serving::Request;
using serving::Stream;

/// Writes to `scanned` what the frame asks for, as bits, and where in the bytes its id is.
/// @returns a FrameFault
int32_t FrontEnd::scanFrame(Bytes bytes, bool isBinary) {
  frameIsBinary_ = isBinary;
  const auto whole = bytes.view();
  const auto json = isBinary ? protocols::frameHeader(whole) : whole;
  frame_ = {};
  const bool hasHeader = !isBinary || json.data();
  const auto fault = hasHeader ? protocols::scanFrame(json, frame_) : FrameFault::kHeaderLength;
  scanned_[ScannedFrame::kAsks] =
      (frame_.deploymentId.empty() ? 0 : FrameAsks::kStart) |
      (frame_.hasData ? FrameAsks::kData : 0) | (frame_.stream ? FrameAsks::kStream : 0) |
      (frame_.end ? FrameAsks::kEnd : 0) | (frame_.cancel ? FrameAsks::kCancel : 0);
  scanned_[ScannedFrame::kIdStart] =
      frame_.id.empty() ? 0 : static_cast<int32_t>(frame_.id.data() - whole.data());
  scanned_[ScannedFrame::kIdLength] = static_cast<int32_t>(frame_.id.size());
  return static_cast<int32_t>(fault);
}

// Copies the frame scanned last. @returns 0, or why it was refused
int32_t FrontEnd::openFrame(uint32_t ticket, uint32_t owner, Bytes frame) {
  std::string_view whole;
  if (const int32_t refused = openBody(ticket, owner, frame, whole)) return refused;
  requests_[ticket]->protocol = &protocols::predictProtocol(frameIsBinary_, frame_.binary);
  requests_[ticket]->envelope = frame_.envelope;
  return 0;
}

/// Like submit(), for the frame scanned last.
int32_t FrontEnd::submitFrame(uint32_t ticket, uint32_t owner, Bytes frame) {
  if (const int32_t refused = openFrame(ticket, owner, frame)) return refused;
  Request* request = requests_[ticket];
  request->tag.assign(frame_.id);
  return submitted(ticket, engine_->dispatcher.submit(request, frame_.deploymentId, owner));
}

// Opens a stream whose first input is the ticket's body. @returns as submit() does
int32_t FrontEnd::begin(uint32_t ticket, uint32_t owner, int32_t endpoint, std::string_view id,
                        std::string tag) {
  Request* opening = requests_[ticket];
  auto stream = std::make_shared<Stream>(pool_, *opening, std::move(tag));
  auto& dispatcher = engine_->dispatcher;
  const auto admission =
      endpoint == Route::kByBody
          ? dispatcher.openStream(stream, opening, id, owner)
          : dispatcher.openStream(stream, opening, static_cast<uint32_t>(endpoint), owner);
  // The caller may submit the body as a request that is no stream.
  if (admission == Admission::kNoStreams) return static_cast<int32_t>(admission);
  if (admission != Admission::kQueued) return rejectAdmission(ticket, admission);
  requests_[ticket] = nullptr;
  const auto taken = static_cast<int32_t>(stream->deployment->handle);
  if (ticket >= streams_.size()) streams_.resize(ticket + 64);
  streams_[ticket] = std::move(stream);
  return taken;
}

/// A deployment that has no streams leaves the body as append() does.
/// @returns the deployment's handle, or why it was refused
int32_t FrontEnd::openStream(uint32_t ticket, uint32_t owner, int32_t endpoint, Bytes chunk) {
  const auto headers = std::exchange(headers_, {});
  std::string_view body;
  if (const int32_t refused = openBody(ticket, owner, chunk, body)) return refused;
  if (const int32_t refused = readHead(ticket, body, headers)) return refused;
  std::string_view id;
  if (endpoint == Route::kByBody) {
    if (const int32_t refused = routeOf(ticket, body, id)) return refused;
  }
  return begin(ticket, owner, endpoint, id, {});
}

/// The same for the frame scanned last.
int32_t FrontEnd::openFrameStream(uint32_t ticket, uint32_t owner, Bytes frame) {
  if (const int32_t refused = openFrame(ticket, owner, frame)) return refused;
  return begin(ticket, owner, Route::kByBody, frame_.deploymentId, std::string(frame_.id));
}

Stream* FrontEnd::streamOf(uint32_t ticket) const {
  return ticket < streams_.size() ? streams_[ticket].get() : nullptr;
}

/// @returns 1 where more may follow, 0 where it should wait for a completion that says so, or why
/// it was refused
int32_t FrontEnd::pushInput(uint32_t ticket, uint32_t owner, Bytes frame) {
  Stream* stream = streamOf(ticket);
  if (!stream) return 1;
  if (const int32_t refused = openFrame(ticket, owner, frame)) return refused;
  return stream->push(std::exchange(requests_[ticket], nullptr)) ? 1 : 0;
}

/// No more input will follow.
void FrontEnd::endInput(uint32_t ticket) {
  if (Stream* stream = streamOf(ticket)) stream->endInput();
}

/// Whether the client has stopped reading.
void FrontEnd::holdReader(uint32_t ticket, bool held) {
  if (Stream* stream = streamOf(ticket)) stream->holdReader(held);
}

/// No completion will come.
void FrontEnd::cancelStream(uint32_t ticket) {
  if (streamOf(ticket)) std::exchange(streams_[ticket], nullptr)->cancel();
}

}  // namespace cloudeasyml::bindings
