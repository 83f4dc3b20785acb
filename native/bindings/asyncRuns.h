// Runs whose callers don't wait for them.
#pragma once

#include <napi.h>
#include <onnxruntime_cxx_api.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "bindings/backgroundWork.h"
#include "runtime/cancellation.h"
#include "runtime/session.h"

namespace cloudeasyml::bindings {

/// One run, from the call to the callback.
struct AsyncRun {
  std::shared_ptr<runtime::Session> session;
  std::shared_ptr<runtime::CancellationToken> token;
  std::vector<Ort::Value> inputs;
  std::vector<size_t> selection;
  std::vector<Ort::Value> outputs;
  /// Keeps the inputs' memory.
  Callback callback;
  /// Null where the run went well.
  std::exception_ptr failure;

  void execute() noexcept;
  void report(Napi::Env env);
};

/// One environment's runs in flight. When the environment goes it stops them, and waits until no
/// thread uses what they hold.
class AsyncRuns {
 public:
  explicit AsyncRuns(Napi::Env env);
  AsyncRuns(const AsyncRuns&) = delete;
  AsyncRuns& operator=(const AsyncRuns&) = delete;

  /// Queues a run. The number is what cancel() takes.
  uint32_t start(Napi::Env env, std::unique_ptr<AsyncRun> run);
  /// Stops a run; does nothing to one that has ended.
  void cancel(uint32_t number) noexcept;

 private:
  static void onEnded(napi_env env, napi_value, void* self, void* number) noexcept;
  void settle(Napi::Env env, uint32_t number);
  void execute(AsyncRun& run, uint32_t number) noexcept;
  void tearDown();

  napi_threadsafe_function ended_ = nullptr;
  // Only the environment's own thread touches these two.
  std::unordered_map<uint32_t, std::unique_ptr<AsyncRun>> runs_;
  uint32_t lastNumber_ = 0;

  std::mutex mutex_;
  std::condition_variable idle_;
  size_t executing_ = 0;
};

}  // namespace cloudeasyml::bindings
