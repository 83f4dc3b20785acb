// Made-up rows for trying a model.
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

/// What a made-up row is like.
enum class MadeUpRow : uint8_t {
  kUsual,
  /// Of large numbers; all such rows are the same.
  kLarge,
  /// Of zeros, false and "a".
  kZero,
  /// Of numbers below all others.
  kLow,
};

/// A request of such rows. Inputs that are not by rows are the same for all.
protocols::DecodedRequest makeUp(const protocols::Signature& signature,
                                 const std::vector<MadeUpRow>& rows, const MadeUp& way);

}  // namespace cloudeasyml::backends
