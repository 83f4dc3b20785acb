// A worker thread's access to the engine.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "bindings/addonData.h"
#include "bindings/isolate.h"
#include "bindings/wakeUp.h"
#include "engine.h"

struct uv_loop_s;

namespace cloudeasyml::bindings {

/// Takes batches and streams for one thread and answers them. Lives until its environment is torn
/// down; batches and streams that are open then fail. The functions that JavaScript
/// sees are described in src/engine/batchWorker.ts.
class BatchWorker {
 public:
  BatchWorker(Napi::Env env, Napi::Function onWork);

  Napi::Object exports();

 private:
  void cleanUp();

  // Batches.

  napi_value next(bool block);
  void succeed(uint32_t batchId, uint32_t index, napi_value answer, double milliseconds,
               bool ranTogether);
  void fail(uint32_t batch, uint32_t index, const std::string& code, const std::string& detail,
            const std::string& path);
  bool wantsBinary(uint32_t batch, uint32_t index);
  bool hasEnded(uint32_t batch, uint32_t index);
  double timeLeft(uint32_t batch, uint32_t index);
  std::string requestId(uint32_t batch, uint32_t index);
  void watchBatch(uint32_t batch);
  void enterBatch(uint32_t batch, uint32_t index);
  void leave();
  void finish(uint32_t batch);
  void host(uint32_t handle);
  void unhost(uint32_t handle);

  // Plugin code.

  bool runBatch(uint32_t batch, napi_value code);
  bool runStep(uint32_t stream, napi_value code);
  bool runFor(double milliseconds, napi_value code);
  void raiseUncaught(napi_value error);

  // Streams.

  napi_value takeNotices();
  napi_value takeInput(uint32_t stream);
  bool emit(uint32_t stream, napi_value output);
  bool endStream(uint32_t stream, napi_value answer, double milliseconds, uint32_t inputs);
  bool failStream(uint32_t stream, const std::string& code, const std::string& detail,
                  const std::string& path, double milliseconds, uint32_t inputs);
  void enterStream(uint32_t stream);
  std::string streamRequestId(uint32_t stream);
  double stepTimeLeft(uint32_t stream);
  void leaveScope();

  bool runCode(int64_t dueNs, napi_value code);
  napi_value step(NextStep step) const;
  bool sleep();
  bool loopHasWork();
  napi_value bodyValue(const serving::Request& request) const;
  napi_value batchValue(const serving::Batch& batch) const;
  static int64_t chargeOf(serving::Batch& batch, const serving::Request& request, bool ranTogether);
  serving::Batch* active(uint32_t id) const;
  /// Null where there is none, or no longer one.
  serving::Request* requestOf(uint32_t batch, uint32_t index) const;
  /// Reads an answer, JSON text or a binary frame's bytes, into a request.
  void readAnswer(napi_value value, serving::Request& request) const;
  std::shared_ptr<serving::Stream> streamOf(uint32_t number) const;
  static bool isDeliverable(serving::Stream& stream, serving::Request& completion);
  /// @returns false where the stream had ended already
  bool closeStream(serving::Stream& stream, serving::Request* completion, double milliseconds,
                   uint32_t rows);

  const Napi::Env env_;
  AddonData& data_;
  uv_loop_s* const loop_;
  const Isolate isolate_;
  const std::shared_ptr<Engine> engine_;
  // Destroyed after the worker that calls it.
  const WakeUp wakeUp_;
  const std::shared_ptr<serving::Worker> worker_;
};

}  // namespace cloudeasyml::bindings
