// What a run costs without JavaScript: the floor that the benchmarks measure from.
#pragma once

#include <napi.h>

namespace cloudeasyml::bindings {

void registerBench(Napi::Env env, Napi::Object exports);

}  // namespace cloudeasyml::bindings
