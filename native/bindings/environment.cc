#include <cstdlib>
#include <cstring>

#include "bindings/exports.h"
#include "bindings/isolate.h"

namespace cloudeasyml::bindings {

void eraseVariable(Napi::Env, const std::string& name) {
  char* value = std::getenv(name.c_str());
  if (value) std::memset(value, 0, std::strlen(value));
}

void collectGarbage(Napi::Env) { Isolate().collectGarbage(); }

}  // namespace cloudeasyml::bindings
