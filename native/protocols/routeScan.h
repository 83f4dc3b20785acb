// Finding where a request goes without parsing it.
#pragma once

#include <string_view>

namespace cloudeasyml::protocols {

enum class RouteScan { kFound, kAbsent, kNotText, kMalformed, kTooManyMembers };

/// Walks a request body's top level to the value of "deploymentId". It stops there, so what follows
/// is not checked: the worker that parses the body does that.
///
/// @param id set where the answer is kFound: a view into `body`
RouteScan scanDeploymentId(std::string_view body, std::string_view& id) noexcept;

}  // namespace cloudeasyml::protocols
