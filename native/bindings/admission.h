// What the functions that hand requests in answer below zero; src/engine/frontEnd.ts has the same
// numbers. serving::Admission's are among them, negated.
#pragma once

#include <cstdint>

namespace cloudeasyml::bindings {

constexpr int32_t kRouteAbsent = -4;
constexpr int32_t kRouteNotText = -5;
constexpr int32_t kRouteMalformed = -6;
constexpr int32_t kTooManyBytes = -7;
constexpr int32_t kNotAnObject = -8;

/// In the place of a deployment's handle: the body names it.
constexpr int32_t kByBody = -1;

}  // namespace cloudeasyml::bindings
