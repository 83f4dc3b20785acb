// What the addon keeps per JavaScript environment: the main thread has one, and each worker.
#pragma once

#include <napi.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "bindings/asyncRuns.h"
#include "engine.h"
#include "generated/constants.h"
#include "runtime/cancellation.h"

namespace cloudeasyml::bindings {

/// Memory that JavaScript and the addon both see, so that small tensors and shapes cross between
/// them without a call: asking Node-API for a typed array's address costs more than copying a few
/// kilobytes. It begins with numbers (shapes, results); after them lie the bytes of small tensors.
struct Frame {
  static constexpr size_t kHeaderBytes = SharedFrame::kHeaderNumbers * sizeof(double);
  static constexpr size_t kBytes = kHeaderBytes + SharedFrame::kTensorBytes;

  char* bytes = nullptr;
  Napi::Reference<Napi::ArrayBuffer> buffer;

  double* header() const noexcept { return reinterpret_cast<double*>(bytes); }
};

class AddonData {
 public:
  explicit AddonData(Napi::Env env);
  AddonData(const AddonData&) = delete;
  AddonData& operator=(const AddonData&) = delete;

  static AddonData& of(Napi::Env env) { return *env.GetInstanceData<AddonData>(); }

  /// What a synchronous run of this thread goes on under: the token of the request or stream whose
  /// code is running, as far as that is known, else the thread's own.
  const std::shared_ptr<runtime::CancellationToken>& token();

  /// Of the request or stream whose code is running; null where that is not known.
  std::shared_ptr<runtime::CancellationToken> scopedToken;

  const std::shared_ptr<Engine> engine = Engine::acquire();
  Frame frame;
  /// Node.js's number of this thread.
  int threadId = 0;
  /// JavaScript's CloudEasyMLError(code, message).
  Napi::FunctionReference errorClass;
  /// Bytes of ORT's memory that JavaScript holds views of. Views outlive this struct.
  const std::shared_ptr<std::atomic<size_t>> viewedBytes = std::make_shared<std::atomic<size_t>>(0);
  AsyncRuns asyncRuns;

 private:
  std::shared_ptr<runtime::CancellationToken> threadToken_;
};

/// A token that the process's exit and `stopThread` reach for as long as it lives.
std::shared_ptr<runtime::CancellationToken> makeToken(const std::shared_ptr<Engine>& engine,
                                                      int threadId);

}  // namespace cloudeasyml::bindings
