// Trying a model: whether joining requests changes their answers.
#pragma once

#include "backends/batchContract.h"
#include "protocols/signature.h"
#include "runtime/cancellation.h"
#include "runtime/session.h"

namespace cloudeasyml::backends {

/// Runs made-up rows alone and joined, and holds the answers against each other. A mean over the
/// batch, a scale that is taken from all rows, an output that only looks as if it had a row for
/// each: shapes can't tell these.
///
/// @param contract says that requests are joined; where that is found to be wrong, or can't be
/// found out although the shapes leave it open, it says so afterwards
/// @param runs where what runs can be cancelled
void tryJoining(runtime::Session& session, const protocols::Signature& signature,
                BatchContract& contract, runtime::RunRegistry& runs);

}  // namespace cloudeasyml::backends
