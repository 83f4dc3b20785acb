// The wire format of /predict: JSON over HTTP, and the frames of its WebSocket.
#pragma once

#include "protocols/protocol.h"

namespace cloudeasyml::protocols {

/// @param hasBinaryBody requests are binary frames, else JSON text
/// @param hasBinaryAnswers answers are binary frames, else JSON text
const Protocol& predictProtocol(bool hasBinaryBody, bool hasBinaryAnswers) noexcept;

}  // namespace cloudeasyml::protocols
