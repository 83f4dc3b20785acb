#include "bindings/isolate.h"

#ifndef _WIN32
#include <dlfcn.h>
#endif

namespace cloudeasyml::bindings {

namespace {

template <typename Function>
Function find(const char* name) noexcept {
#ifdef _WIN32
  static_cast<void>(name);
  return nullptr;
#else
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
#endif
}

}  // namespace

Isolate::Isolate()
    : terminate_(find<Method>("_ZN2v87Isolate18TerminateExecutionEv")),
      cancelTermination_(find<Method>("_ZN2v87Isolate24CancelTerminateExecutionEv")),
      runMicrotasks_(find<Method>("_ZN2v815MicrotasksScope17PerformCheckpointEPNS_7IsolateE")),
      noteMemoryPressure_(find<void (*)(void*, int)>(
          "_ZN2v87Isolate26MemoryPressureNotificationENS_19MemoryPressureLevelE")) {
  const auto current = find<void* (*)()>("_ZN2v87Isolate10GetCurrentEv");
  if (terminate_ && cancelTermination_ && runMicrotasks_ && current) isolate_ = current();
}

}  // namespace cloudeasyml::bindings
