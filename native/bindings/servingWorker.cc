#include "bindings/servingWorker.h"

#include <algorithm>
#include <memory>
#include <string>

#include "bindings/addonData.h"
#include "bindings/rawFunction.h"
#include "engine.h"
#include "serving/time.h"

// Of libuv's interface the engine needs these three, which every libuv 1.x has; its headers do not
// come with Node-API's.
extern "C" {
int uv_backend_fd(const struct uv_loop_s*);
int uv_backend_timeout(const struct uv_loop_s*);
void uv_update_time(struct uv_loop_s*);
}

namespace cloudeasyml::bindings {

namespace {

using serving::Batch;
using serving::Request;
using serving::Waiting;

// Answers of next() that are no batch; src/engine/batchWorker.ts has the same numbers.
constexpr int32_t kIdle = 0;
constexpr int32_t kTurn = 1;

/// How long native batches may keep the event loop from turning.
constexpr int64_t kTurnEveryNs = 1 * serving::kMillisecond;
/// The event loop's descriptor tells of messages and sockets, but not of timers, nor of sockets
/// that were opened since the loop last turned. Plugins' code never waits for these (it is not
/// hosted by a worker that sleeps natively), so turning now and then is enough.
constexpr int kLongestSleepMs = 100;

/// Lives until its environment is torn down; then the batches that its plugins left fail.
class BatchWorker {
 public:
  BatchWorker(napi_env env, napi_value onWork)
      : env_(env),
        engine_(Engine::acquire()),
        wakeUp_(makeWakeUp(env, onWork, "cloudeasyml:work")),
        worker_(engine_->scheduler.addWorker(
            [wakeUp = wakeUp_] {
              napi_call_threadsafe_function(wakeUp, nullptr, napi_tsfn_nonblocking);
            },
            [engine = std::weak_ptr(engine_), threadId = AddonData::of(env).threadId] {
              return makeRunFlag(engine.lock(), threadId);
            })) {
    napi_get_uv_event_loop(env, &loop_);
    napi_add_env_cleanup_hook(env, cleanUp, this);
  }

  Napi::Object face() {
    auto object = Napi::Object::New(env_);
    object.Set("id", worker_->id);
    defineRaw(object, "next", next, this);
    defineRaw(object, "succeed", succeed, this);
    defineRaw(object, "fail", fail, this);
    defineRaw(object, "finish", finish, this);
    defineRaw(object, "host", host, this);
    defineRaw(object, "unhost", unhost, this);
    return object;
  }

 private:
  static void cleanUp(void* data) {
    auto* self = static_cast<BatchWorker*>(data);
    self->engine_->scheduler.removeWorker(*self->worker_);
    napi_release_threadsafe_function(self->wakeUp_, napi_tsfn_abort);
    delete self;
  }

  // Runs the engine's own models until a plugin's batch comes (returned), or the event loop has
  // something to do (kTurn), or nothing waits. Then, with `block`, it sleeps; else it answers
  // kIdle, and onWork is called when there is work.
  //
  // Watching the event loop's own descriptor while it sleeps is what lets messages and
  // worker.terminate() through.
  static napi_value next(napi_env env, napi_callback_info info) {
    const RawCall<BatchWorker, 1> call(env, info);
    auto& self = *call.self;
    auto& scheduler = self.engine_->scheduler;
    bool block = false;
    napi_get_value_bool(env, call.args[0], &block);
    int64_t turnAt = serving::nowNs() + kTurnEveryNs;
    for (;;) {
      Batch* batch =
          scheduler.take(*self.worker_, block ? Waiting::kNatively : Waiting::kInEventLoop);
      if (batch && !batch->deployment->model) return self.batchValue(*batch);
      if (batch) {
        self.worker_->runner.run(*batch, *self.worker_->flag);
        scheduler.finish(*self.worker_, batch);
        if (serving::nowNs() < turnAt) continue;
        if (!block || self.loopHasWork()) return call.number(kTurn);
        turnAt = serving::nowNs() + kTurnEveryNs;
        continue;
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
  bool sleep() {
    return worker_->waker.sleep(uv_backend_fd(loop_), kLongestSleepMs) != serving::Wake::kWoken;
  }

  bool loopHasWork() {
    return worker_->waker.sleep(uv_backend_fd(loop_), 0) == serving::Wake::kOther;
  }

  // [batch id, deployment handle, body, body, …]
  napi_value batchValue(const Batch& batch) {
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
    for (size_t i = 0; i < batch.requests.size(); ++i) {
      const auto body = batch.requests[i]->body.view();
      napi_value text;
      napi_create_string_utf8(env_, body.data(), body.size(), &text);
      set(i + 2, text);
    }
    return array;
  }

  // Only this thread adds to and takes from its active batches, so it may read them without the
  // lock.
  Batch* active(uint32_t id) const {
    for (const auto& batch : worker_->active) {
      if (batch->id == id) return batch.get();
    }
    return nullptr;
  }

  template <size_t Count>
  static Request* requestOf(const RawCall<BatchWorker, Count>& call) {
    Batch* batch = call.self->active(call.uint32(0));
    const uint32_t index = call.uint32(1);
    return batch && index < batch->requests.size() ? batch->requests[index] : nullptr;
  }

  static void readText(napi_env env, napi_value value, std::string& out) {
    size_t length = 0;
    napi_get_value_string_utf8(env, value, nullptr, 0, &length);
    out.resize(length + 1);
    napi_get_value_string_utf8(env, value, out.data(), length + 1, &length);
    out.resize(length);
  }

  // succeed(batch id, index, JSON text, milliseconds)
  static napi_value succeed(napi_env env, napi_callback_info info) {
    const RawCall<BatchWorker, 4> call(env, info);
    Request* request = requestOf(call);
    if (!request || !request->claim()) return nullptr;
    readText(env, call.args[2], request->answer);
    double milliseconds = 0;
    napi_get_value_double(env, call.args[3], &milliseconds);
    request->processingNs = static_cast<int64_t>(milliseconds * 1e6);
    request->channel->complete(request);
    return nullptr;
  }

  // fail(batch id, index, code, detail, path)
  static napi_value fail(napi_env env, napi_callback_info info) {
    const RawCall<BatchWorker, 5> call(env, info);
    Request* request = requestOf(call);
    if (!request) return nullptr;
    std::string texts[3];
    for (size_t i = 0; i < 3; ++i) readText(env, call.args[i + 2], texts[i]);
    request->channel->fail(request, texts[0].c_str(), texts[1], texts[2]);
    return nullptr;
  }

  // finish(batch id)
  static napi_value finish(napi_env env, napi_callback_info info) {
    const RawCall<BatchWorker, 1> call(env, info);
    Batch* batch = call.self->active(call.uint32(0));
    if (batch) call.self->engine_->scheduler.finish(*call.self->worker_, batch);
    return nullptr;
  }

  static napi_value host(napi_env env, napi_callback_info info) {
    const RawCall<BatchWorker, 1> call(env, info);
    call.self->engine_->scheduler.host(*call.self->worker_, call.uint32(0));
    return nullptr;
  }

  static napi_value unhost(napi_env env, napi_callback_info info) {
    const RawCall<BatchWorker, 1> call(env, info);
    call.self->engine_->scheduler.unhost(*call.self->worker_, call.uint32(0));
    return nullptr;
  }

  napi_env env_;
  std::shared_ptr<Engine> engine_;
  napi_threadsafe_function wakeUp_;
  std::shared_ptr<serving::Worker> worker_;
  uv_loop_s* loop_ = nullptr;
};

}  // namespace

Napi::Value createWorker(const Napi::CallbackInfo& info) {
  auto* worker = new BatchWorker(info.Env(), info[0]);
  return worker->face();
}

}  // namespace cloudeasyml::bindings
