// A socket thread's door to the engine.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/frame.h"
#include "engine.h"
#include "serving/channel.h"
#include "serving/stream.h"

namespace cloudeasyml::bindings {

/// Hands requests and streams of one thread to the engine, and what comes of them back. Lives until
/// its environment is torn down.
///
/// A ticket is the caller's number for a request or a stream. The functions that JavaScript sees
/// are described in src/engine/frontEnd.ts.
class FrontEnd {
 public:
  FrontEnd(napi_env env, napi_value onCompletions, size_t maxBytes, Napi::Int32Array records,
           Napi::Uint8Array outbox, Napi::Int32Array scanned);

  Napi::Object exports();

 private:
  static void cleanUp(void* data);

  // Requests.

  static napi_value append(napi_env env, napi_callback_info info);
  static napi_value submit(napi_env env, napi_callback_info info);
  static napi_value flush(napi_env env, napi_callback_info info);
  static napi_value discard(napi_env env, napi_callback_info info);
  static napi_value cancel(napi_env env, napi_callback_info info);
  static napi_value drain(napi_env env, napi_callback_info info);
  static napi_value takeLarge(napi_env env, napi_callback_info info);

  // Frames and streams.

  static napi_value scanFrame(napi_env env, napi_callback_info info);
  static napi_value submitFrame(napi_env env, napi_callback_info info);
  static napi_value openStream(napi_env env, napi_callback_info info);
  static napi_value openFrameStream(napi_env env, napi_callback_info info);
  static napi_value pushInput(napi_env env, napi_callback_info info);
  static napi_value endInput(napi_env env, napi_callback_info info);
  static napi_value holdReader(napi_env env, napi_callback_info info);
  static napi_value cancelStream(napi_env env, napi_callback_info info);

  void notifyWorkers();
  void runInline();
  int32_t reject(uint32_t ticket, int32_t code);
  int32_t rejectRoute(uint32_t ticket, int32_t code);
  int32_t rejectAdmission(uint32_t ticket, serving::Admission admission);
  int32_t submitted(uint32_t ticket, const serving::Submission& submission);
  int32_t openBody(uint32_t ticket, napi_value chunk, std::string_view& whole);
  int32_t openFrame(uint32_t ticket, napi_value chunk);
  int32_t routeOf(uint32_t ticket, std::string_view body, std::string_view& id);
  int32_t begin(uint32_t ticket, uint32_t owner, int32_t handle, std::string_view id,
                std::string frameId);
  serving::Stream* streamOf(uint32_t ticket) const;
  protocols::FrameWriter frameOf(const serving::Request& request);
  void delivered(serving::Request* request);

  napi_env env_;
  std::shared_ptr<Engine> engine_;
  napi_threadsafe_function wakeUp_;
  std::shared_ptr<serving::Channel> channel_;
  Napi::Reference<Napi::Int32Array> recordsReference_;
  Napi::Reference<Napi::Uint8Array> outboxReference_;
  Napi::Reference<Napi::Int32Array> scannedReference_;
  int32_t* records_;
  size_t maxRecords_;
  uint8_t* outbox_;
  size_t outboxSize_;
  int32_t* scanned_;
  /// The frame scanned last, in bytes that are the caller's.
  protocols::Frame frame_;
  bool frameIsBinary_ = false;
  /// By ticket: the requests that are out.
  std::vector<serving::Request*> requests_;
  /// By ticket: the streams that are open.
  std::vector<std::shared_ptr<serving::Stream>> streams_;
  /// Deployments that got requests which no worker was woken for yet, and the work that these are.
  std::vector<uint32_t> pendingWakes_;
  int64_t pendingWakeNs_ = 0;
  size_t pendingWakeBytes_ = 0;
  /// What runs requests on this thread.
  std::shared_ptr<serving::Worker> worker_;
  std::vector<serving::Request*> drained_;
  size_t next_ = 0;
  /// Those that JavaScript has been told of in this drain.
  std::vector<serving::Request*> delivered_;
  /// What the frame written last begins with.
  std::string head_;
  /// The last record's frame, where the outbox is too small for it.
  std::string large_;
};

/// createFrontEnd(onCompletions, maxBytes, records, outbox, scanned): see src/engine/frontEnd.ts.
Napi::Value createFrontEnd(const Napi::CallbackInfo& info);

}  // namespace cloudeasyml::bindings
