// Which of the requests that left a queue go into a batch together.
#pragma once

#include <cstddef>
#include <vector>

#include "serving/batch.h"

namespace cloudeasyml::serving {

/// Decodes requests into a batch until it has `mostRows`; the first may have more. Requests that
/// can't be decoded fail here.
/// @param batch has capacity for all of them
/// @returns the index of the first request for a later batch
size_t formBatch(Batch& batch, const std::vector<Request*>& requests, size_t mostRows);

}  // namespace cloudeasyml::serving
