// The one process-wide object: everything that threads share hangs off it.
#pragma once

#include <memory>

#include "runtime/allocator.h"
#include "runtime/runtime.h"
#include "serving/directory.h"
#include "serving/dispatcher.h"

namespace cloudeasyml {

class Engine {
 public:
  /// The process's engine; the first caller makes it, the last holder destroys it.
  static std::shared_ptr<Engine> acquire();

  Engine() { runtime::keepFreedMemory(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Each uses those before it, and goes before them.
  runtime::Runtime runtime;
  serving::Directory directory;
  serving::Dispatcher dispatcher{directory};
};

}  // namespace cloudeasyml
