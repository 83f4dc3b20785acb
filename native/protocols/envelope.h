// How a request wants to be queued, apart from what it asks for.
#pragma once

#include <cstdint>
#include <string_view>

namespace cloudeasyml::protocols {

/// The most urgent level, the least urgent one, and that of a request that names none.
constexpr uint8_t kHighestPriority = 1;
constexpr uint8_t kLowestPriority = 9;
constexpr uint8_t kDefaultPriority = 5;

struct Envelope {
  /// Milliseconds from its arrival to its deadline; 0 where the request names none.
  uint32_t timeoutMs = 0;
  /// From kHighestPriority down to kLowestPriority; 0 where the request names none.
  uint8_t priority = 0;
  /// The body is a binary frame.
  bool isFrame = false;
};

/// Reads "priority" or "timeoutMs" from the text of a whole number.
/// @returns false where it is none, or out of range
bool readPriority(std::string_view value, Envelope& out) noexcept;
bool readTimeout(std::string_view value, Envelope& out) noexcept;

/// What reading a body's envelope came to.
enum class EnvelopeFault { kNone, kPriority, kTimeout, kMembers };

/// Reads "priority" and "timeoutMs" from the top level of a request's JSON, wherever they stand in
/// it. Where the text is no JSON it finds nothing; parsing it reports that later.
EnvelopeFault scanEnvelope(std::string_view json, Envelope& out) noexcept;

}  // namespace cloudeasyml::protocols
