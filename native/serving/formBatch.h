// Which of the requests that left a queue go into a batch together.
#pragma once

#include <cstddef>
#include <vector>

#include "serving/batch.h"

namespace cloudeasyml::serving {

/// Reads requests into a batch until it has `mostRows`; its first may have more. Those that can't
/// be read fail here.
/// @param batch has room for all of them
/// @returns from where on they are for a later batch
size_t formBatch(Batch& batch, const std::vector<Request*>& requests, size_t mostRows);

}  // namespace cloudeasyml::serving
