#include "bindings/servingFrontEnd.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "bindings/rawFunction.h"
#include "codec/requestBody.h"
#include "codec/routeScan.h"
#include "engine.h"

namespace cloudeasyml::bindings {

namespace {

using serving::Admission;
using serving::Request;

// Answers of submit() below zero; src/engine/frontEnd.ts has the same numbers.
constexpr int32_t kRouteAbsent = -4;
constexpr int32_t kRouteNotText = -5;
constexpr int32_t kRouteMalformed = -6;
constexpr int32_t kTooManyBytes = -7;
constexpr int32_t kNotAnObject = -8;
constexpr int32_t kByBody = -1;

// One completion record: ticket, outcome, rows, offset, length, microseconds of processing.
constexpr size_t kRecordLength = 6;
constexpr int32_t kOutsideOutbox = -1;

/// Lives until its environment is torn down.
class FrontEnd {
 public:
  FrontEnd(napi_env env, napi_value onCompletions, size_t maxBytes, Napi::Int32Array records,
           Napi::Uint8Array outbox)
      : env_(env),
        engine_(Engine::acquire()),
        wakeUp_(makeWakeUp(env, onCompletions, "cloudeasyml:completions")),
        channel_(std::make_shared<serving::Channel>(
            [wakeUp = wakeUp_] {
              napi_call_threadsafe_function(wakeUp, nullptr, napi_tsfn_nonblocking);
            },
            maxBytes)),
        recordsReference_(Napi::Persistent(records)),
        outboxReference_(Napi::Persistent(outbox)),
        records_(records.Data()),
        maxRecords_(records.ElementLength() / kRecordLength),
        outbox_(outbox.Data()),
        outboxSize_(outbox.ByteLength()) {
    napi_add_env_cleanup_hook(env, cleanUp, this);
  }

  Napi::Object face() {
    auto object = Napi::Object::New(env_);
    defineRaw(object, "append", append, this);
    defineRaw(object, "submit", submit, this);
    defineRaw(object, "flush", flush, this);
    defineRaw(object, "discard", discard, this);
    defineRaw(object, "cancel", cancel, this);
    defineRaw(object, "drain", drain, this);
    defineRaw(object, "takeLarge", takeLarge, this);
    return object;
  }

 private:
  static void cleanUp(void* data) {
    auto* self = static_cast<FrontEnd*>(data);
    for (auto* request : self->requests_) {
      if (request && self->engine_->scheduler.cancel(request)) self->channel_->release(request);
    }
    // Drained, but JavaScript never heard of them.
    for (; self->next_ < self->drained_.size(); ++self->next_) {
      self->channel_->release(self->drained_[self->next_]);
    }
    self->channel_->close();
    napi_release_threadsafe_function(self->wakeUp_, napi_tsfn_abort);
    // References die with the environment.
    self->recordsReference_.SuppressDestruct();
    self->outboxReference_.SuppressDestruct();
    delete self;
  }

  Request* opened(uint32_t ticket) {
    if (ticket >= requests_.size()) requests_.resize(ticket + 64, nullptr);
    auto*& slot = requests_[ticket];
    if (!slot) slot = channel_->open(ticket);
    return slot;
  }

  bool appendChunk(Request* request, napi_value chunk) {
    void* bytes = nullptr;
    size_t size = 0;
    // uWebSockets.js brings ArrayBuffers; asking what a value is costs as much as trying.
    if (napi_get_arraybuffer_info(env_, chunk, &bytes, &size) != napi_ok &&
        napi_get_typedarray_info(env_, chunk, nullptr, &size, &bytes, nullptr, nullptr) !=
            napi_ok) {
      return true;
    }
    return channel_->append(*request, bytes, size);
  }

  void announce() {
    engine_->scheduler.wakeWorkers(touched_);
    touched_.clear();
    unannouncedNs_ = 0;
  }

  int32_t reject(uint32_t ticket, int32_t code) {
    channel_->release(std::exchange(requests_[ticket], nullptr));
    return code;
  }

  // A body that can't be routed. That it is no JSON counts before what it says.
  int32_t rejectRoute(uint32_t ticket, int32_t code) {
    return reject(ticket, codec::isJson(requests_[ticket]->body) ? code : kRouteMalformed);
  }

  // append(ticket, chunk): false where the engine holds too many bytes; the request is then
  // discarded.
  static napi_value append(napi_env env, napi_callback_info info) {
    const RawCall<FrontEnd, 2> call(env, info);
    const uint32_t ticket = call.uint32(0);
    auto& self = *call.self;
    Request* request = self.opened(ticket);
    if (!request) return call.boolean(false);
    if (self.appendChunk(request, call.args[1])) return call.boolean(true);
    self.reject(ticket, kTooManyBytes);
    return call.boolean(false);
  }

  // submit(ticket, owner, handle or -1, chunk): the deployment's handle, or why it was refused.
  static napi_value submit(napi_env env, napi_callback_info info) {
    const RawCall<FrontEnd, 4> call(env, info);
    auto& self = *call.self;
    const uint32_t ticket = call.uint32(0);
    const uint32_t owner = call.uint32(1);
    int32_t handle = kByBody;
    napi_get_value_int32(env, call.args[2], &handle);
    Request* request = self.opened(ticket);
    if (!request) return call.number(kTooManyBytes);
    if (!self.appendChunk(request, call.args[3])) {
      return call.number(self.reject(ticket, kTooManyBytes));
    }
    auto& scheduler = self.engine_->scheduler;
    Admission admission;
    if (handle == kByBody) {
      std::string_view id;
      switch (codec::scanDeploymentId(request->body.view(), id)) {
        case codec::RouteScan::kAbsent:
          return call.number(self.rejectRoute(ticket, kRouteAbsent));
        case codec::RouteScan::kNotText:
          return call.number(self.rejectRoute(ticket, kRouteNotText));
        case codec::RouteScan::kMalformed:
          return call.number(self.rejectRoute(ticket, kNotAnObject));
        case codec::RouteScan::kFound:
          break;
      }
      admission = scheduler.submit(request, id, owner);
      if (admission == Admission::kNoDeployment) {
        return call.number(self.rejectRoute(ticket, -static_cast<int32_t>(admission)));
      }
    } else {
      admission = scheduler.submit(request, static_cast<uint32_t>(handle), owner);
    }
    if (admission != Admission::kQueued) {
      return call.number(self.reject(ticket, -static_cast<int32_t>(admission)));
    }
    const uint32_t taken = request->deployment->handle;
    if (self.touched_.empty() || self.touched_.back() != taken) self.touched_.push_back(taken);
    self.unannouncedNs_ += request->deployment->requestNs.load(std::memory_order_relaxed);
    // Requests that arrive in one turn of the event loop share a wake-up, unless they are much
    // work.
    if (self.unannouncedNs_ >= serving::kWorthWakingNs) self.announce();
    return call.number(static_cast<int32_t>(taken));
  }

  // flush(): to be called once the requests at hand are submitted.
  static napi_value flush(napi_env env, napi_callback_info info) {
    const RawCall<FrontEnd, 1> call(env, info);
    if (!call.self->touched_.empty()) call.self->announce();
    return nullptr;
  }

  // discard(ticket): the body's client went before it was submitted.
  static napi_value discard(napi_env env, napi_callback_info info) {
    const RawCall<FrontEnd, 1> call(env, info);
    auto& self = *call.self;
    const uint32_t ticket = call.uint32(0);
    if (ticket < self.requests_.size() && self.requests_[ticket]) self.reject(ticket, 0);
    return nullptr;
  }

  // cancel(ticket): true where no completion will come.
  static napi_value cancel(napi_env env, napi_callback_info info) {
    const RawCall<FrontEnd, 1> call(env, info);
    auto& self = *call.self;
    const uint32_t ticket = call.uint32(0);
    Request* request = ticket < self.requests_.size() ? self.requests_[ticket] : nullptr;
    if (!request || !self.engine_->scheduler.cancel(request)) return call.boolean(false);
    self.reject(ticket, 0);
    return call.boolean(true);
  }

  // drain(): how many records it wrote; the negative of that where more wait.
  static napi_value drain(napi_env env, napi_callback_info info) {
    const RawCall<FrontEnd, 1> call(env, info);
    auto& self = *call.self;
    if (self.next_ == self.drained_.size()) {
      self.drained_.clear();
      self.next_ = 0;
      self.channel_->drain(self.drained_);
    }
    size_t count = 0;
    size_t offset = 0;
    while (self.next_ < self.drained_.size() && count < self.maxRecords_) {
      Request* request = self.drained_[self.next_];
      const size_t length = request->answer.size();
      const bool large = length > self.outboxSize_;
      if (!large && offset + length > self.outboxSize_) break;
      int32_t* record = self.records_ + count * kRecordLength;
      record[0] = static_cast<int32_t>(request->ticket);
      record[1] = static_cast<int32_t>(request->outcome);
      record[2] = static_cast<int32_t>(request->rows);
      record[3] = large ? kOutsideOutbox : static_cast<int32_t>(offset);
      record[4] = static_cast<int32_t>(length);
      record[5] = static_cast<int32_t>(request->processingNs / 1000);
      if (!large) {
        std::memcpy(self.outbox_ + offset, request->answer.data(), length);
        offset += length;
        self.reject(request->ticket, 0);
      }
      ++count;
      ++self.next_;
    }
    const auto written = static_cast<int32_t>(count);
    return call.number(self.next_ < self.drained_.size() ? -written : written);
  }

  // takeLarge(ticket): the answer that did not fit into the outbox, as an ArrayBuffer over its own
  // memory.
  static napi_value takeLarge(napi_env env, napi_callback_info info) {
    const RawCall<FrontEnd, 1> call(env, info);
    auto& self = *call.self;
    const uint32_t ticket = call.uint32(0);
    auto owned = std::make_unique<std::string>(std::move(self.requests_[ticket]->answer));
    self.reject(ticket, 0);
    napi_value buffer = nullptr;
    const auto status = napi_create_external_arraybuffer(
        env, owned->data(), owned->size(),
        [](napi_env, void*, void* hint) { delete static_cast<std::string*>(hint); }, owned.get(),
        &buffer);
    if (status == napi_ok) {
      owned.release();
      return buffer;
    }
    // Some embedders forbid external memory.
    void* copy = nullptr;
    napi_create_arraybuffer(env, owned->size(), &copy, &buffer);
    if (copy) std::memcpy(copy, owned->data(), owned->size());
    return buffer;
  }

  napi_env env_;
  std::shared_ptr<Engine> engine_;
  napi_threadsafe_function wakeUp_;
  std::shared_ptr<serving::Channel> channel_;
  Napi::Reference<Napi::Int32Array> recordsReference_;
  Napi::Reference<Napi::Uint8Array> outboxReference_;
  int32_t* records_;
  size_t maxRecords_;
  uint8_t* outbox_;
  size_t outboxSize_;
  /// By ticket: the requests that are out.
  std::vector<Request*> requests_;
  /// Deployments that got requests which no worker was woken for yet, and the work that these are.
  std::vector<uint32_t> touched_;
  int64_t unannouncedNs_ = 0;
  std::vector<Request*> drained_;
  size_t next_ = 0;
};

}  // namespace

Napi::Value createFrontEnd(const Napi::CallbackInfo& info) {
  auto* frontEnd = new FrontEnd(info.Env(), info[0],
                                static_cast<size_t>(info[1].As<Napi::Number>().Int64Value()),
                                info[2].As<Napi::Int32Array>(), info[3].As<Napi::Uint8Array>());
  return frontEnd->face();
}

}  // namespace cloudeasyml::bindings
