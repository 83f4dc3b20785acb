// Which of a queue's requests go into a batch together.
#pragma once

#include <cstddef>
#include <vector>

#include "serving/batch.h"
#include "serving/worker.h"

namespace cloudeasyml::serving {

/// Reads requests until the batch's rows are full. Those that can't be read fail here.
/// @returns how many of `requests` were looked at; the rest, from there on, are for a later batch
size_t formBatch(Worker& worker, Batch& batch, std::vector<Request*>& requests);

}  // namespace cloudeasyml::serving
