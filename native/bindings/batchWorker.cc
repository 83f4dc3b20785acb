#include "bindings/batchWorker.h"

#include <cstring>
#include <utility>

#include "bindings/exports.h"
#include "bindings/functions.h"
#include "serving/channel.h"
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

/// How long native batches may keep the event loop from turning.
constexpr int64_t kTurnEveryNs = 1 * serving::kMillisecond;
/// The event loop's descriptor signals messages and sockets, but neither timers nor sockets opened
/// since the loop last turned. A worker that sleeps natively hosts no plugin code, which might wait
/// for these, so turning now and then is enough.
constexpr int kLongestSleepMs = 100;

uv_loop_s* loopOf(Napi::Env env) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env);
  return loop;
}

}  // namespace

BatchWorker::BatchWorker(Napi::Env env, Napi::Function onWork)
    : env_(env),
      data_(AddonData::of(env)),
      loop_(loopOf(env)),
      engine_(Engine::acquire()),
      wakeUp_(env, onWork, "cloudeasyml:work"),
      worker_(engine_->dispatcher.addWorker(
          std::make_shared<serving::WakeHandle>([this] { wakeUp_.wake(); }),
          [engine = std::weak_ptr(engine_), threadId = data_.threadId] {
            return makeToken(engine.lock(), threadId);
          },
          isolate_.isInterruptible() ? std::function<void()>([this] { isolate_.terminate(); })
                                     : nullptr)) {
  serving::markComputeThread();
  napi_add_env_cleanup_hook(env, cleanupHook<BatchWorker, &BatchWorker::cleanUp>, this);
}

Napi::Object BatchWorker::exports() {
  static constexpr Function<BatchWorker> kFunctions[] = {
      {"next", callback<&BatchWorker::next>},
      {"succeed", callback<&BatchWorker::succeed>},
      {"fail", callback<&BatchWorker::fail>},
      {"wantsBinary", callback<&BatchWorker::wantsBinary>},
      {"hasEnded", callback<&BatchWorker::hasEnded>},
      {"timeLeft", callback<&BatchWorker::timeLeft>},
      {"requestId", callback<&BatchWorker::requestId>},
      {"watchBatch", callback<&BatchWorker::watchBatch>},
      {"enterBatch", callback<&BatchWorker::enterBatch>},
      {"leave", callback<&BatchWorker::leave>},
      {"finish", callback<&BatchWorker::finish>},
      {"host", callback<&BatchWorker::host>},
      {"unhost", callback<&BatchWorker::unhost>},
      {"runBatch", callback<&BatchWorker::runBatch>},
      {"runStep", callback<&BatchWorker::runStep>},
      {"runFor", callback<&BatchWorker::runFor>},
      {"raiseUncaught", callback<&BatchWorker::raiseUncaught>},
      {"takeNotices", callback<&BatchWorker::takeNotices>},
      {"takeInput", callback<&BatchWorker::takeInput>},
      {"emit", callback<&BatchWorker::emit>},
      {"endStream", callback<&BatchWorker::endStream>},
      {"failStream", callback<&BatchWorker::failStream>},
      {"enterStream", callback<&BatchWorker::enterStream>},
      {"streamRequestId", callback<&BatchWorker::streamRequestId>},
      {"stepTimeLeft", callback<&BatchWorker::stepTimeLeft>},
      {"leaveScope", callback<&BatchWorker::leaveScope>},
  };
  auto object = Napi::Object::New(env_);
  object.Set("id", worker_->id);
  bindFunctions(object, kFunctions, this);
  return object;
}

void BatchWorker::cleanUp() {
  engine_->dispatcher.removeWorker(*worker_);
  delete this;
}

// Runs batches of native backends until there is a plugin's batch (returned), a stream's notice
// (kNotices) or work for the event loop (kTurn). Without any of these it sleeps with `block`; else
// it returns kIdle, and onWork is called when there is work.
//
// Watching the event loop's own descriptor while it sleeps is what lets messages and
// worker.terminate() through.
napi_value BatchWorker::next(bool block) {
  auto& dispatcher = engine_->dispatcher;
  data_.scopedToken.reset();
  int64_t turnAt = serving::nowNs() + kTurnEveryNs;
  for (;;) {
    if (!worker_->inbox->empty()) return step(NextStep::kNotices);
    Batch* batch = dispatcher.take(*worker_, block ? Waiting::kNatively : Waiting::kInEventLoop);
    if (batch && !batch->deployment->backend->isNative()) {
      data_.scopedToken = worker_->token;
      return batchValue(*batch);
    }
    if (batch) {
      dispatcher.run(*worker_, batch);
      if (serving::nowNs() < turnAt) continue;
      if (!block || loopHasWork()) return step(NextStep::kTurn);
      turnAt = serving::nowNs() + kTurnEveryNs;
      continue;
    }
    // Requests that came before the worker counted as waiting did not wake it.
    if (!worker_->inbox->empty()) {
      dispatcher.stopWaiting(*worker_);
      return step(NextStep::kNotices);
    }
    if (!block) return step(NextStep::kIdle);
    if (sleep()) {
      dispatcher.stopWaiting(*worker_);
      return step(NextStep::kTurn);
    }
    turnAt = serving::nowNs() + kTurnEveryNs;
  }
}

napi_value BatchWorker::step(NextStep step) const {
  napi_value value = nullptr;
  napi_create_int32(env_, static_cast<int32_t>(step), &value);
  return value;
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
  if (!request.protocol->hasBinaryBody()) {
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

// Only this thread changes its active batches, so it may read them without the lock.
Batch* BatchWorker::active(uint32_t id) const {
  for (const auto& batch : worker_->active) {
    if (batch->id == id) return batch.get();
  }
  return nullptr;
}

Request* BatchWorker::requestOf(uint32_t batchId, uint32_t index) const {
  Batch* batch = active(batchId);
  return batch && index < batch->requests.size() ? batch->requests[index] : nullptr;
}

void BatchWorker::readAnswer(napi_value value, Request& request) const {
  if (readText(env_, value, request.answer)) return;
  request.answer.assign(bytesOf(env_, value).view());
  request.binaryAnswer = true;
}

// What the batch took since its requests were charged last; for requests that ran together, the
// request's share of all of it.
int64_t BatchWorker::chargeOf(Batch& batch, const Request& request, bool ranTogether) {
  const int64_t now = serving::nowNs();
  if (!ranTogether) return now - std::exchange(batch.chargedUntilNs, now);
  if (batch.jointNs == 0) batch.jointNs = now - batch.startNs;
  return static_cast<int64_t>(static_cast<double>(batch.jointNs) * request.rows /
                              static_cast<double>(batch.rows));
}

void BatchWorker::succeed(uint32_t batchId, uint32_t index, napi_value answer, double milliseconds,
                          bool ranTogether) {
  Request* request = requestOf(batchId, index);
  if (!request || !request->claim()) return;
  try {
    readAnswer(answer, *request);
  } catch (...) {
    // It is claimed, so only this thread can end it.
    serving::completeFailed(*request,
                            {ErrorCode::kInternal, "The answer could not be taken over.", {}});
    throw;
  }
  Batch& batch = *active(batchId);
  request->processingNs = static_cast<int64_t>(milliseconds * 1e6);
  request->chargedNs = chargeOf(batch, *request, ranTogether);
  serving::completeAnswered(*request, batch.deployment->limits.answerBytes);
}

void BatchWorker::fail(uint32_t batch, uint32_t index, const std::string& code,
                       const std::string& detail, const std::string& path) {
  Request* request = requestOf(batch, index);
  if (request) serving::fail(*request, {errorCodeNamed(code), detail, path});
}

bool BatchWorker::wantsBinary(uint32_t batch, uint32_t index) {
  const Request* request = requestOf(batch, index);
  return request && request->protocol->hasBinaryAnswers();
}

bool BatchWorker::hasEnded(uint32_t batch, uint32_t index) {
  const Batch* running = active(batch);
  return !running || running->hasEnded(index);
}

/// @returns the milliseconds until the request's deadline
double BatchWorker::timeLeft(uint32_t batch, uint32_t index) {
  const Request* request = requestOf(batch, index);
  return request ? static_cast<double>(request->deadlineNs - serving::nowNs()) / 1e6 : 0;
}

std::string BatchWorker::requestId(uint32_t batch, uint32_t index) {
  const Request* request = requestOf(batch, index);
  return request ? request->requestId : std::string();
}

void BatchWorker::watchBatch(uint32_t batch) { engine_->dispatcher.watchBatch(*worker_, batch); }

// Runs from here on are for a request of the batch, or for all of them.
void BatchWorker::enterBatch(uint32_t batch, uint32_t index) {
  data_.scopedToken = engine_->dispatcher.tokenFor(*worker_, batch, index);
}

// The code of the batch taken last goes on in the event loop.
void BatchWorker::leave() {
  data_.scopedToken.reset();
  engine_->dispatcher.leave(*worker_);
}

void BatchWorker::finish(uint32_t id) {
  data_.scopedToken.reset();
  if (Batch* batch = active(id)) engine_->dispatcher.finish(*worker_, batch);
}

void BatchWorker::host(uint32_t handle) { engine_->dispatcher.host(*worker_, handle); }

void BatchWorker::unhost(uint32_t handle) { engine_->dispatcher.unhost(*worker_, handle); }

Napi::Value createWorker(Napi::Env env, Napi::Function onWork) {
  // Its cleanup hook deletes it.
  return (new BatchWorker(env, onWork))->exports();
}

}  // namespace cloudeasyml::bindings
