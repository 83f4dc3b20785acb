// The one process-wide object: everything that threads share hangs off it.
#pragma once

#include <atomic>
#include <memory>

#include "runtime/allocator.h"
#include "runtime/runtime.h"
#include "serving/byteBudget.h"
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

  /// What all front ends hold. Their pools may outlive the engine.
  const std::shared_ptr<serving::ByteBudget> budget = std::make_shared<serving::ByteBudget>();
  /// The largest answer of deployments that are added from now on, in bytes.
  std::atomic<size_t> answerBytes{serving::BatchLimits{}.answerBytes};

  // Each uses those before it, and goes before them.
  runtime::Runtime runtime;
  serving::Directory directory;
  serving::Dispatcher dispatcher{directory};
};

}  // namespace cloudeasyml
