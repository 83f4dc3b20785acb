// Threads for ONNX Runtime's pools, started before it asks for them.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <onnxruntime_cxx_api.h>

namespace cloudeasyml::runtime {

/// Started threads that wait for ONNX Runtime to take them. It ends the process where it can't
/// start a thread, so what can fail is done before, here.
class ThreadReserve {
 public:
  /// @throws std::system_error where the system does not allow so many
  explicit ThreadReserve(size_t count);
  ~ThreadReserve();
  ThreadReserve(const ThreadReserve&) = delete;
  ThreadReserve& operator=(const ThreadReserve&) = delete;

  /// Has the pools that are made with `options` take these threads. Must outlive their making, but
  /// not the pools, which own what they took.
  void supply(Ort::SessionOptions& options);
  void supply(Ort::ThreadingOptions& options);

 private:
  class Thread;

  static OrtCustomThreadHandle take(void* self, OrtThreadWorkerFn work, void* argument) noexcept;
  static void join(OrtCustomThreadHandle handle) noexcept;

  std::vector<std::unique_ptr<Thread>> threads_;
};

/// How many threads ONNX Runtime starts for a pool of this size: the caller of a run is one more.
constexpr size_t startedFor(int poolSize) noexcept {
  return poolSize > 1 ? static_cast<size_t>(poolSize - 1) : 0;
}

}  // namespace cloudeasyml::runtime
