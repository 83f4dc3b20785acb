// Rows that nobody sent, to try a model with.
#pragma once

#include <cstdint>
#include <vector>

#include "protocols/protocol.h"
#include "protocols/signature.h"

namespace cloudeasyml::backends {

/// How rows are made up; models accept some and refuse others.
struct MadeUp {
  /// The length of open axes.
  int64_t openLength = 8;
  /// Whole numbers are below this: a vocabulary's or an enumeration's size is not known.
  uint32_t integersBelow = 10;
};

/// The ways to try, the likeliest first.
const std::vector<MadeUp>& waysToMakeUp();

/// A request of so many rows. Rows of different `seed` differ, also in their scale; inputs that are
/// not by rows are the same for every seed.
protocols::DecodedRequest makeUp(const protocols::Signature& signature, uint32_t rows,
                                 const MadeUp& way, uint32_t seed);

}  // namespace cloudeasyml::backends
