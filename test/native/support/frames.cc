#include "support/frames.h"

#include <memory>

#include "protocols/frame.h"
#include "protocols/routeScan.h"

namespace cloudeasyml::test {

namespace {

Fault faultOf(FrameFault fault) {
  switch (fault) {
    case FrameFault::kNone:
      return Fault::kNone;
    case FrameFault::kMalformed:
      return Fault::kMalformed;
    case FrameFault::kNotAnObject:
      return Fault::kNotAnObject;
    case FrameFault::kHeaderLength:
      return Fault::kHeaderLength;
    case FrameFault::kId:
      return Fault::kId;
    case FrameFault::kDeploymentId:
      return Fault::kDeploymentId;
    case FrameFault::kSwitch:
      return Fault::kSwitch;
    case FrameFault::kTwice:
      return Fault::kTwice;
    case FrameFault::kPriority:
      return Fault::kPriority;
    case FrameFault::kTimeout:
      return Fault::kTimeout;
  }
  return Fault::kMalformed;
}

}  // namespace

ScannedFrame scan(std::string_view json) {
  protocols::Frame frame;
  const auto fault = protocols::scanFrame(json, frame);
  return {faultOf(fault), frame.id,  frame.deploymentId, frame.hasData,
          frame.stream,   frame.end, frame.cancel,       frame.binary};
}

std::optional<std::string_view> headerOf(std::string_view frame) {
  const auto header = protocols::frameHeader(frame);
  if (!header.data()) return std::nullopt;
  return header;
}

std::string joinFrame(std::string_view header, std::string_view tensors) {
  std::string frame;
  for (size_t i = 0; i < protocols::kFrameLengthBytes; ++i) {
    frame += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  }
  return frame.append(header).append(tensors);
}

std::string writeFrame(std::string_view head, std::string_view answer, std::string_view tail,
                       bool binary) {
  const protocols::FrameWriter writer(head, answer, tail, binary);
  const auto memory = std::make_unique<char[]>(writer.size());
  writer.write(memory.get());
  return {memory.get(), writer.size()};
}

Route routeOf(std::string_view body) {
  std::string_view id;
  switch (protocols::scanDeploymentId(body, id)) {
    case protocols::RouteScan::kFound:
      return {Route::Kind::kFound, id};
    case protocols::RouteScan::kAbsent:
      return {Route::Kind::kAbsent, {}};
    case protocols::RouteScan::kNotText:
      return {Route::Kind::kNotText, {}};
    case protocols::RouteScan::kTooManyMembers:
    case protocols::RouteScan::kMalformed:
      break;
  }
  return {Route::Kind::kMalformed, {}};
}

}  // namespace cloudeasyml::test
