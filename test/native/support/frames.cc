#include "support/frames.h"

#include <memory>

#include "codec/frame.h"
#include "codec/routeScan.h"

namespace cloudeasyml::test {

namespace {

Fault faultOf(codec::FrameFault fault) {
  switch (fault) {
    case codec::FrameFault::kNone:
      return Fault::kNone;
    case codec::FrameFault::kMalformed:
      return Fault::kMalformed;
    case codec::FrameFault::kNotAnObject:
      return Fault::kNotAnObject;
    case codec::FrameFault::kHeaderLength:
      return Fault::kHeaderLength;
    case codec::FrameFault::kId:
      return Fault::kId;
    case codec::FrameFault::kDeploymentId:
      return Fault::kDeploymentId;
    case codec::FrameFault::kSwitch:
      return Fault::kSwitch;
    case codec::FrameFault::kTwice:
      return Fault::kTwice;
  }
  return Fault::kMalformed;
}

}  // namespace

ScannedFrame scan(std::string_view json) {
  codec::Frame frame;
  const auto fault = codec::scanFrame(json, frame);
  return {faultOf(fault), frame.id,  frame.deploymentId, frame.hasData,
          frame.stream,   frame.end, frame.cancel,       frame.binary};
}

std::optional<std::string_view> headerOf(std::string_view frame) {
  const auto header = codec::frameHeader(frame);
  if (!header.data()) return std::nullopt;
  return header;
}

std::string joinFrame(std::string_view header, std::string_view tensors) {
  std::string frame;
  for (size_t i = 0; i < codec::kFrameLengthBytes; ++i) {
    frame += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  }
  return frame.append(header).append(tensors);
}

std::string writeFrame(std::string_view head, std::string_view answer, std::string_view tail,
                       bool binary) {
  const codec::FrameWriter writer(head, answer, tail, binary);
  const auto memory = std::make_unique<char[]>(writer.size());
  writer.write(memory.get());
  return {memory.get(), writer.size()};
}

Route routeOf(std::string_view body) {
  std::string_view id;
  switch (codec::scanDeploymentId(body, id)) {
    case codec::RouteScan::kFound:
      return {Route::Kind::kFound, id};
    case codec::RouteScan::kAbsent:
      return {Route::Kind::kAbsent, {}};
    case codec::RouteScan::kNotText:
      return {Route::Kind::kNotText, {}};
    case codec::RouteScan::kMalformed:
      break;
  }
  return {Route::Kind::kMalformed, {}};
}

}  // namespace cloudeasyml::test
