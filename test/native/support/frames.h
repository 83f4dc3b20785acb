// Frames as the tests and fuzz targets write and read them. All that is known here of the
// protocols' frames is in frames.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloudeasyml::test {

/// What is wrong with a frame; none where it is right.
enum class Fault {
  kNone,
  kMalformed,
  kNotAnObject,
  kHeaderLength,
  kId,
  kDeploymentId,
  kSwitch,
  kTwice,
  kPriority,
  kTimeout
};

/// A client's frame as it was scanned.
struct ScannedFrame {
  Fault fault = Fault::kNone;
  std::string_view id;
  std::string_view deploymentId;
  bool hasData = false;
  bool stream = false;
  bool end = false;
  bool cancel = false;
  bool binary = false;
};

/// @param json a text frame, or a binary frame's header
ScannedFrame scan(std::string_view json);

/// A binary frame's header; nothing where its length doesn't fit the frame.
std::optional<std::string_view> headerOf(std::string_view frame);

/// A binary frame as a client writes it.
std::string joinFrame(std::string_view header, std::string_view tensors);

/// A frame of the engine's, in memory of exactly its size.
std::string writeFrame(std::string_view head, std::string_view answer, std::string_view tail,
                       bool binary);

/// Where an answer's deployment is found without parsing.
struct Route {
  enum class Kind { kFound, kAbsent, kNotText, kMalformed } kind;
  std::string_view id;
};

Route routeOf(std::string_view body);

}  // namespace cloudeasyml::test
