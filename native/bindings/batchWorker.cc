#include "bindings/batchWorker.h"

#include <cstring>

#include "bindings/text.h"
#include "serving/computeThread.h"
#include "serving/time.h"

// Of libuv's interface the engine needs this, which every libuv 1.x has; its headers do not come
// with Node-API's.
extern "C" int uv_backend_fd(const struct uv_loop_s*);

namespace cloudeasyml::bindings {

using serving::Batch;
using serving::Request;
using serving::Waiting;

namespace {

// Answers of next() that are no batch; src/engine/batchWorker.ts has the same numbers.
constexpr int32_t kIdle = 0;
constexpr int32_t kTurn = 1;
constexpr int32_t kNotices = 2;

/// How long native batches may keep the event loop from turning.
constexpr int64_t kTurnEveryNs = 1 * serving::kMillisecond;
/// The event loop's descriptor tells of messages and sockets, but not of timers, nor of sockets
/// that were opened since the loop last turned. Plugins' code never waits for these (it is not
/// hosted by a worker that sleeps natively), so turning now and then is enough.
constexpr int kLongestSleepMs = 100;

}  // namespace

BatchWorker::BatchWorker(napi_env env, napi_value onWork)
    : env_(env),
      data_(AddonData::of(env)),
      engine_(Engine::acquire()),
      wakeUp_(makeWakeUp(env, onWork, "cloudeasyml:work")),
      worker_(engine_->scheduler.addWorker(
          [wakeUp = wakeUp_] {
            napi_call_threadsafe_function(wakeUp, nullptr, napi_tsfn_nonblocking);
          },
          [engine = std::weak_ptr(engine_), threadId = data_.threadId] {
            return makeToken(engine.lock(), threadId);
          })) {
  napi_get_uv_event_loop(env, &loop_);
  serving::markComputeThread();
  napi_add_env_cleanup_hook(env, cleanUp, this);
}

Napi::Object BatchWorker::exports() {
  auto object = Napi::Object::New(env_);
  object.Set("id", worker_->id);
  defineRaw(object, "next", next, this);
  defineRaw(object, "succeed", succeed, this);
  defineRaw(object, "fail", fail, this);
  defineRaw(object, "wantsBinary", wantsBinary, this);
  defineRaw(object, "leave", leave, this);
  defineRaw(object, "finish", finish, this);
  defineRaw(object, "host", host, this);
  defineRaw(object, "unhost", unhost, this);
  defineRaw(object, "takeNotices", takeNotices, this);
  defineRaw(object, "takeInput", takeInput, this);
  defineRaw(object, "emit", emit, this);
  defineRaw(object, "endStream", endStream, this);
  defineRaw(object, "failStream", failStream, this);
  defineRaw(object, "enterStream", enterStream, this);
  defineRaw(object, "leaveStream", leaveStream, this);
  return object;
}

void BatchWorker::cleanUp(void* data) {
  auto* self = static_cast<BatchWorker*>(data);
  self->engine_->scheduler.removeWorker(*self->worker_);
  napi_release_threadsafe_function(self->wakeUp_, napi_tsfn_abort);
  delete self;
}

// Runs the engine's own models until a plugin's batch comes (returned), streams have news
// (kNotices), the event loop has something to do (kTurn), or nothing waits. Then, with `block`, it
// sleeps; else it answers kIdle, and onWork is called when there is work.
//
// Watching the event loop's own descriptor while it sleeps is what lets messages and
// worker.terminate() through.
napi_value BatchWorker::next(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  auto& self = *call.self;
  auto& scheduler = self.engine_->scheduler;
  bool block = false;
  napi_get_value_bool(env, call.args[0], &block);
  self.data_.scopedToken.reset();
  int64_t turnAt = serving::nowNs() + kTurnEveryNs;
  for (;;) {
    if (!self.worker_->inbox->empty()) return call.number(kNotices);
    Batch* batch =
        scheduler.take(*self.worker_, block ? Waiting::kNatively : Waiting::kInEventLoop);
    if (batch && !batch->deployment->model) {
      self.data_.scopedToken = self.worker_->token;
      return self.batchValue(*batch);
    }
    if (batch) {
      self.worker_->runner.run(*batch, *self.worker_->token);
      scheduler.finish(*self.worker_, batch);
      if (serving::nowNs() < turnAt) continue;
      if (!block || self.loopHasWork()) return call.number(kTurn);
      turnAt = serving::nowNs() + kTurnEveryNs;
      continue;
    }
    // What came before the worker counted as waiting woke nobody.
    if (!self.worker_->inbox->empty()) {
      scheduler.stopWaiting(*self.worker_);
      return call.number(kNotices);
    }
    if (!block) return call.number(kIdle);
    if (self.sleep()) {
      scheduler.stopWaiting(*self.worker_);
      return call.number(kTurn);
    }
    turnAt = serving::nowNs() + kTurnEveryNs;
  }
}

/// @returns true where the event loop should turn
bool BatchWorker::sleep() {
  return worker_->waker.sleep(uv_backend_fd(loop_), kLongestSleepMs) != serving::Wake::kWoken;
}

bool BatchWorker::loopHasWork() {
  return worker_->waker.sleep(uv_backend_fd(loop_), 0) == serving::Wake::kOther;
}

/// JSON as a string, a binary frame as an ArrayBuffer.
napi_value BatchWorker::bodyValue(const Request& request) const {
  const auto body = request.body.view();
  napi_value value = nullptr;
  if (!request.binary) {
    napi_create_string_utf8(env_, body.data(), body.size(), &value);
    return value;
  }
  void* copy = nullptr;
  napi_create_arraybuffer(env_, body.size(), &copy, &value);
  if (copy) std::memcpy(copy, body.data(), body.size());
  return value;
}

// [batch id, deployment handle, body, body, …]
napi_value BatchWorker::batchValue(const Batch& batch) const {
  napi_value array;
  napi_create_array_with_length(env_, batch.requests.size() + 2, &array);
  const auto set = [&](size_t index, napi_value value) {
    napi_set_element(env_, array, static_cast<uint32_t>(index), value);
  };
  napi_value number;
  napi_create_uint32(env_, batch.id, &number);
  set(0, number);
  napi_create_uint32(env_, batch.deployment->handle, &number);
  set(1, number);
  for (size_t i = 0; i < batch.requests.size(); ++i) set(i + 2, bodyValue(*batch.requests[i]));
  return array;
}

// Only this thread adds to and takes from its active batches, so it may read them without the lock.
Batch* BatchWorker::active(uint32_t id) const {
  for (const auto& batch : worker_->active) {
    if (batch->id == id) return batch.get();
  }
  return nullptr;
}

std::string BatchWorker::text(napi_value value) const {
  std::string out;
  readText(env_, value, out);
  return out;
}

void BatchWorker::readAnswer(napi_value value, Request& request) const {
  if (readText(env_, value, request.answer)) return;
  size_t length = 0;
  void* bytes = nullptr;
  napi_get_typedarray_info(env_, value, nullptr, &length, &bytes, nullptr, nullptr);
  request.answer.assign(static_cast<const char*>(bytes), length);
  request.binaryAnswer = true;
}

// succeed(batch id, index, JSON text or a binary frame, milliseconds)
napi_value BatchWorker::succeed(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 4> call(env, info);
  Request* request = requestOf(call);
  if (!request || !request->claim()) return nullptr;
  call.self->readAnswer(call.args[2], *request);
  double milliseconds = 0;
  napi_get_value_double(env, call.args[3], &milliseconds);
  request->processingNs = static_cast<int64_t>(milliseconds * 1e6);
  request->channel->complete(request);
  return nullptr;
}

// fail(batch id, index, code, detail, path)
napi_value BatchWorker::fail(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 5> call(env, info);
  Request* request = requestOf(call);
  if (!request) return nullptr;
  const auto& self = *call.self;
  request->channel->fail(request, self.text(call.args[2]).c_str(), self.text(call.args[3]),
                         self.text(call.args[4]));
  return nullptr;
}

// wantsBinary(batch id, index)
napi_value BatchWorker::wantsBinary(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 2> call(env, info);
  const Request* request = requestOf(call);
  return call.boolean(request && request->wantsBinary);
}

// leave(): the code of the batch taken last goes on in the event loop.
napi_value BatchWorker::leave(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  call.self->data_.scopedToken.reset();
  call.self->engine_->scheduler.leave(*call.self->worker_);
  return nullptr;
}

// finish(batch id)
napi_value BatchWorker::finish(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  call.self->data_.scopedToken.reset();
  Batch* batch = call.self->active(call.uint32(0));
  if (batch) call.self->engine_->scheduler.finish(*call.self->worker_, batch);
  return nullptr;
}

napi_value BatchWorker::host(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  call.self->engine_->scheduler.host(*call.self->worker_, call.uint32(0));
  return nullptr;
}

napi_value BatchWorker::unhost(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  call.self->engine_->scheduler.unhost(*call.self->worker_, call.uint32(0));
  return nullptr;
}

Napi::Value createWorker(const Napi::CallbackInfo& info) {
  auto* worker = new BatchWorker(info.Env(), info[0]);
  return worker->exports();
}

}  // namespace cloudeasyml::bindings
