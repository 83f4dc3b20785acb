#include "protocols/routeScan.h"

#include "protocols/jsonScanner.h"

namespace cloudeasyml::protocols {

RouteScan scanDeploymentId(std::string_view body, std::string_view& id) noexcept {
  JsonScanner scanner(body);
  if (!scanner.take('{')) return RouteScan::kMalformed;
  if (scanner.take('}')) return RouteScan::kAbsent;
  for (size_t members = 0; members < kMostMembers; ++members) {
    std::string_view key;
    if (!scanner.string(key) || !scanner.take(':')) return RouteScan::kMalformed;
    if (key == "deploymentId") {
      const char first = scanner.peek();
      if (first == '\0') return RouteScan::kMalformed;
      if (first != '"') return RouteScan::kNotText;
      return scanner.string(id) ? RouteScan::kFound : RouteScan::kMalformed;
    }
    std::string_view ignored;
    if (!scanner.value(ignored)) return RouteScan::kMalformed;
    if (scanner.take('}')) return RouteScan::kAbsent;
    if (!scanner.take(',')) return RouteScan::kMalformed;
  }
  return RouteScan::kTooManyMembers;
}

}  // namespace cloudeasyml::protocols
