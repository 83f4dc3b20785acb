// JSON to tensor memory.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/signature.h"
#include "protocols/tensor.h"

namespace cloudeasyml::protocols {

/// Reads an input's tensor: nested arrays as deep as the input has axes. Numbers must fit the
/// element type exactly in kind (no fractions for integers) and in range.
///
/// @param path how messages call `value`: `data`, `data.image`
/// @throws RequestError naming the place, what was expected and what came
void readTensor(simdjson::ondemand::value value, const InputSpec& spec, std::string_view path,
                Tensor& out);

/// Appends one row to the tensor of an input that is by rows.
///
/// @param row its number, counted from 0
/// @param path how messages call `value`: `data[3].age`
void readRow(simdjson::ondemand::value value, const InputSpec& spec, uint32_t row,
             std::string_view path, Tensor& out);

}  // namespace cloudeasyml::protocols
