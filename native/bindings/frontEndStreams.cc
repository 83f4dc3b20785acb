// The parts of a front end that know connections of many requests, and streams.
#include <utility>

#include "bindings/admission.h"
#include "bindings/frontEnd.h"
#include "bindings/rawFunction.h"

namespace cloudeasyml::bindings {

using serving::Admission;
using serving::Request;
using serving::Stream;

namespace {

// Bits of what scanFrame reports; src/engine/frames.ts has the same.
constexpr int32_t kStarts = 1;
constexpr int32_t kHasData = 2;
constexpr int32_t kStream = 4;
constexpr int32_t kEnd = 8;
constexpr int32_t kCancel = 16;

}  // namespace

// scanFrame(bytes, isBinary): a FrameFault. `scanned` then holds what the frame asks for, in bits,
// and where in the bytes its id lies.
napi_value FrontEnd::scanFrame(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 2> call(env, info);
  auto& self = *call.self;
  void* bytes = nullptr;
  size_t size = 0;
  napi_get_arraybuffer_info(env, call.args[0], &bytes, &size);
  napi_get_value_bool(env, call.args[1], &self.frameIsBinary_);
  const std::string_view whole(static_cast<const char*>(bytes), size);
  const auto json = self.frameIsBinary_ ? protocols::frameHeader(whole) : whole;
  self.frame_ = {};
  const bool hasHeader = !self.frameIsBinary_ || json.data();
  const auto fault =
      hasHeader ? protocols::scanFrame(json, self.frame_) : protocols::FrameFault::kHeaderLength;
  const auto& frame = self.frame_;
  self.scanned_[0] = (frame.deploymentId.empty() ? 0 : kStarts) | (frame.hasData ? kHasData : 0) |
                     (frame.stream ? kStream : 0) | (frame.end ? kEnd : 0) |
                     (frame.cancel ? kCancel : 0);
  self.scanned_[1] = frame.id.empty() ? 0 : static_cast<int32_t>(frame.id.data() - whole.data());
  self.scanned_[2] = static_cast<int32_t>(frame.id.size());
  return call.number(static_cast<int32_t>(fault));
}

// Copies the frame scanned last. @returns 0, or why it was refused
int32_t FrontEnd::openFrame(uint32_t ticket, napi_value chunk) {
  std::string_view whole;
  if (const int32_t refused = openBody(ticket, chunk, whole)) return refused;
  requests_[ticket]->binary = frameIsBinary_;
  requests_[ticket]->wantsBinary = frame_.binary;
  return 0;
}

// submitFrame(ticket, owner, bytes): like submit(), for the frame scanned last.
napi_value FrontEnd::submitFrame(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 3> call(env, info);
  auto& self = *call.self;
  const uint32_t ticket = call.uint32(0);
  if (const int32_t refused = self.openFrame(ticket, call.args[2])) return call.number(refused);
  Request* request = self.requests_[ticket];
  request->frameId.assign(self.frame_.id);
  auto& scheduler = self.engine_->scheduler;
  return call.number(
      self.submitted(ticket, scheduler.submit(request, self.frame_.deploymentId, call.uint32(1))));
}

// Opens a stream whose first input is the ticket's body. @returns as submit() does
int32_t FrontEnd::begin(uint32_t ticket, uint32_t owner, int32_t handle, std::string_view id,
                        std::string frameId) {
  Request* opening = requests_[ticket];
  auto stream =
      std::make_shared<Stream>(channel_, ticket, std::move(frameId), opening->wantsBinary);
  auto& scheduler = engine_->scheduler;
  const auto admission =
      handle == kByBody
          ? scheduler.openStream(stream, opening, id, owner)
          : scheduler.openStream(stream, opening, static_cast<uint32_t>(handle), owner);
  // The body stays for whoever wants to hand it in as a request that is no stream.
  if (admission == Admission::kNoStreams) return -static_cast<int32_t>(admission);
  if (admission != Admission::kQueued) return rejectAdmission(ticket, admission);
  requests_[ticket] = nullptr;
  const auto taken = static_cast<int32_t>(stream->deployment->handle);
  if (ticket >= streams_.size()) streams_.resize(ticket + 64);
  streams_[ticket] = std::move(stream);
  return taken;
}

// openStream(ticket, owner, handle or -1, chunk): the deployment's handle, or why it was refused. A
// deployment that has no streams leaves the body as append() does.
napi_value FrontEnd::openStream(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 4> call(env, info);
  auto& self = *call.self;
  const uint32_t ticket = call.uint32(0);
  const int32_t handle = call.int32(2);
  std::string_view body;
  if (const int32_t refused = self.openBody(ticket, call.args[3], body)) {
    return call.number(refused);
  }
  std::string_view id;
  if (handle == kByBody) {
    if (const int32_t refused = self.routeOf(ticket, body, id)) return call.number(refused);
  }
  return call.number(self.begin(ticket, call.uint32(1), handle, id, {}));
}

// openFrameStream(ticket, owner, bytes): the same for the frame scanned last.
napi_value FrontEnd::openFrameStream(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 3> call(env, info);
  auto& self = *call.self;
  const uint32_t ticket = call.uint32(0);
  if (const int32_t refused = self.openFrame(ticket, call.args[2])) return call.number(refused);
  return call.number(self.begin(ticket, call.uint32(1), kByBody, self.frame_.deploymentId,
                                std::string(self.frame_.id)));
}

Stream* FrontEnd::streamOf(uint32_t ticket) const {
  return ticket < streams_.size() ? streams_[ticket].get() : nullptr;
}

// pushInput(ticket, bytes): 1 where more may follow, 0 where it should wait for a completion that
// says so, or why it was refused.
napi_value FrontEnd::pushInput(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 2> call(env, info);
  auto& self = *call.self;
  const uint32_t ticket = call.uint32(0);
  Stream* stream = self.streamOf(ticket);
  if (!stream) return call.number(1);
  if (const int32_t refused = self.openFrame(ticket, call.args[1])) return call.number(refused);
  return call.number(stream->push(std::exchange(self.requests_[ticket], nullptr)) ? 1 : 0);
}

// endInput(ticket): no more input will follow.
napi_value FrontEnd::endInput(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 1> call(env, info);
  if (Stream* stream = call.self->streamOf(call.uint32(0))) stream->endInput();
  return nullptr;
}

// holdReader(ticket, held): whether the client has stopped reading.
napi_value FrontEnd::holdReader(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 2> call(env, info);
  bool held = false;
  napi_get_value_bool(env, call.args[1], &held);
  if (Stream* stream = call.self->streamOf(call.uint32(0))) stream->holdReader(held);
  return nullptr;
}

// cancelStream(ticket): no completion will come.
napi_value FrontEnd::cancelStream(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 1> call(env, info);
  auto& self = *call.self;
  const uint32_t ticket = call.uint32(0);
  if (!self.streamOf(ticket)) return nullptr;
  std::exchange(self.streams_[ticket], nullptr)->cancel();
  return nullptr;
}

}  // namespace cloudeasyml::bindings
