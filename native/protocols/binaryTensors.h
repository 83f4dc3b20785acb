// Tensors as bytes: little-endian, row-major, unpadded. A string is its length (uint32) and its
// UTF-8 bytes.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocols/protocol.h"
#include "protocols/signature.h"

namespace cloudeasyml::protocols {

/// Reads a frame's "tensors" into a model's inputs: each names an input (a model's only input needs
/// no name), its type and dims, and takes its bytes from the front of `bytes`, where they stay if
/// they are aligned: `bytes` must outlive `out`.
///
/// @param out its inputs as many as `specs`, all clear
/// @throws RequestError invalid_input naming the tensor, what was expected and what came
void readTensors(simdjson::ondemand::value tensors, std::string_view bytes,
                 const std::vector<InputSpec>& specs, DecodedRequest& out);

/// How many rows a plugin's binary frame counts as: those of a lone tensor without a name, else 1.
/// @throws RequestError malformed_json
uint32_t countTensorRows(simdjson::ondemand::value tensors);

}  // namespace cloudeasyml::protocols
