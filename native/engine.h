// The one process-wide object: everything that threads share hangs off it.
#pragma once

#include <memory>

#include "runtime/allocator.h"
#include "runtime/runtime.h"
#include "serving/scheduler.h"

namespace cloudeasyml {

class Engine {
 public:
  /// The process's engine; the first caller makes it, the last holder destroys it.
  static std::shared_ptr<Engine> acquire();

  Engine() { runtime::keepFreedMemory(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Declared first, so destroyed last: deployments hold sessions.
  runtime::Runtime runtime;
  serving::Scheduler scheduler;
};

}  // namespace cloudeasyml
