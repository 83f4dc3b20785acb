// The members of a request that say what to predict, and how.
#pragma once

#include <simdjson.h>

#include "protocols/protocol.h"
#include "protocols/signature.h"

namespace cloudeasyml::protocols {

/// Reads `data`: the rows, or the whole tensor, of a model's only input; of several inputs an
/// object by their names, or records with a value for each, where all are by rows.
/// @param out its inputs as many as the model's, all clear
/// @throws RequestError
void readData(simdjson::ondemand::value data, const Signature& model, DecodedRequest& out);

/// Reads what `options` asks of a model without code: `outputs` and `topK`. Others are ignored.
/// @throws RequestError
void readOptions(simdjson::ondemand::value options, const Signature& model, DecodedRequest& out);

}  // namespace cloudeasyml::protocols
