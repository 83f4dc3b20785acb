#include "bindings/servingBinding.h"

namespace cloudeasyml::bindings {

void registerServing(Napi::Env, Napi::Object, AddonData&) {}

}  // namespace cloudeasyml::bindings
