// A worker thread's door to the engine.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "bindings/addonData.h"
#include "bindings/rawFunction.h"
#include "engine.h"

struct uv_loop_s;

namespace cloudeasyml::bindings {

/// Takes batches and streams for one thread and answers them. Lives until its environment is torn
/// down; then the batches and streams that its plugins left fail. The functions that JavaScript
/// sees are described in src/engine/batchWorker.ts.
class BatchWorker {
 public:
  BatchWorker(napi_env env, napi_value onWork);

  Napi::Object exports();

 private:
  static void cleanUp(void* data);

  // Batches.

  static napi_value next(napi_env env, napi_callback_info info);
  static napi_value succeed(napi_env env, napi_callback_info info);
  static napi_value fail(napi_env env, napi_callback_info info);
  static napi_value wantsBinary(napi_env env, napi_callback_info info);
  static napi_value leave(napi_env env, napi_callback_info info);
  static napi_value finish(napi_env env, napi_callback_info info);
  static napi_value host(napi_env env, napi_callback_info info);
  static napi_value unhost(napi_env env, napi_callback_info info);

  // Streams.

  static napi_value takeNotices(napi_env env, napi_callback_info info);
  static napi_value takeInput(napi_env env, napi_callback_info info);
  static napi_value emit(napi_env env, napi_callback_info info);
  static napi_value endStream(napi_env env, napi_callback_info info);
  static napi_value failStream(napi_env env, napi_callback_info info);
  static napi_value enterStream(napi_env env, napi_callback_info info);
  static napi_value leaveStream(napi_env env, napi_callback_info info);

  bool sleep();
  bool loopHasWork();
  napi_value bodyValue(const serving::Request& request) const;
  napi_value batchValue(const serving::Batch& batch) const;
  serving::Batch* active(uint32_t id) const;
  /// Reads an answer, JSON text or a binary frame's bytes, into a request.
  void readAnswer(napi_value value, serving::Request& request) const;
  std::string text(napi_value value) const;
  std::shared_ptr<serving::Stream> streamOf(uint32_t number) const;
  /// @returns false where the stream had ended already
  bool closeStream(serving::Stream& stream, serving::Request* completion, napi_value milliseconds,
                   napi_value rows);

  template <size_t Count>
  static serving::Request* requestOf(const RawCall<BatchWorker, Count>& call) {
    serving::Batch* batch = call.self->active(call.uint32(0));
    const uint32_t index = call.uint32(1);
    return batch && index < batch->requests.size() ? batch->requests[index] : nullptr;
  }

  napi_env env_;
  AddonData& data_;
  std::shared_ptr<Engine> engine_;
  napi_threadsafe_function wakeUp_;
  std::shared_ptr<serving::Worker> worker_;
  uv_loop_s* loop_ = nullptr;
};

/// createWorker(onWork): see src/engine/batchWorker.ts.
Napi::Value createWorker(const Napi::CallbackInfo& info);

}  // namespace cloudeasyml::bindings
