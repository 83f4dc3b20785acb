#include "engine.h"

#include <mutex>

namespace cloudeasyml {

std::shared_ptr<Engine> Engine::acquire() {
  static std::mutex mutex;
  static std::weak_ptr<Engine> current;
  std::lock_guard lock(mutex);
  auto engine = current.lock();
  if (!engine) {
    engine = std::make_shared<Engine>();
    current = engine;
  }
  return engine;
}

}  // namespace cloudeasyml
