#include "bindings/frontEnd.h"

#include <cstring>
#include <utility>

#include "bindings/addonData.h"
#include "bindings/admission.h"
#include "bindings/rawFunction.h"
#include "protocols/jsonRequest.h"
#include "protocols/routeScan.h"

namespace cloudeasyml::bindings {

using serving::Admission;
using serving::Outcome;
using serving::Request;
using serving::Submission;

namespace {

// One completion record: ticket, outcome and whether it is binary, rows, offset, length, and
// microseconds of processing, in the queue, and from the queue to the run.
constexpr size_t kRecordLength = 8;
constexpr int32_t kBinaryFlag = 1 << 8;
constexpr int32_t kOutsideOutbox = -1;

int32_t microseconds(int64_t ns) { return static_cast<int32_t>(ns / 1000); }

}  // namespace

FrontEnd::FrontEnd(napi_env env, napi_value onCompletions, size_t maxBytes,
                   Napi::Int32Array records, Napi::Uint8Array outbox, Napi::Int32Array scanned)
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
      scannedReference_(Napi::Persistent(scanned)),
      records_(records.Data()),
      maxRecords_(records.ElementLength() / kRecordLength),
      outbox_(outbox.Data()),
      outboxSize_(outbox.ByteLength()),
      scanned_(scanned.Data()),
      worker_(engine_->scheduler.addWorker(
          nullptr, [engine = std::weak_ptr(engine_), threadId = AddonData::of(env).threadId] {
            return makeToken(engine.lock(), threadId);
          })) {
  napi_add_env_cleanup_hook(env, cleanUp, this);
}

Napi::Object FrontEnd::exports() {
  auto object = Napi::Object::New(env_);
  defineRaw(object, "append", append, this);
  defineRaw(object, "submit", submit, this);
  defineRaw(object, "flush", flush, this);
  defineRaw(object, "discard", discard, this);
  defineRaw(object, "cancel", cancel, this);
  defineRaw(object, "drain", drain, this);
  defineRaw(object, "takeLarge", takeLarge, this);
  defineRaw(object, "scanFrame", scanFrame, this);
  defineRaw(object, "submitFrame", submitFrame, this);
  defineRaw(object, "openStream", openStream, this);
  defineRaw(object, "openFrameStream", openFrameStream, this);
  defineRaw(object, "pushInput", pushInput, this);
  defineRaw(object, "endInput", endInput, this);
  defineRaw(object, "holdReader", holdReader, this);
  defineRaw(object, "cancelStream", cancelStream, this);
  return object;
}

void FrontEnd::cleanUp(void* data) {
  auto* self = static_cast<FrontEnd*>(data);
  for (auto* request : self->requests_) {
    if (request && self->engine_->scheduler.cancel(request)) self->channel_->release(request);
  }
  for (auto& stream : self->streams_) {
    if (stream) stream->cancel();
  }
  // Drained, but JavaScript never heard of them.
  for (; self->next_ < self->drained_.size(); ++self->next_) {
    self->channel_->release(self->drained_[self->next_]);
  }
  self->engine_->scheduler.removeWorker(*self->worker_);
  self->channel_->close();
  napi_release_threadsafe_function(self->wakeUp_, napi_tsfn_abort);
  // References die with the environment.
  self->recordsReference_.SuppressDestruct();
  self->outboxReference_.SuppressDestruct();
  self->scannedReference_.SuppressDestruct();
  delete self;
}

void FrontEnd::notifyWorkers() {
  engine_->scheduler.wakeWorkers(pendingWakes_);
  pendingWakes_.clear();
  pendingWakeNs_ = 0;
  pendingWakeBytes_ = 0;
}

int32_t FrontEnd::reject(uint32_t ticket, int32_t code) {
  channel_->release(std::exchange(requests_[ticket], nullptr));
  return code;
}

// A body that can't be routed. That it is no JSON counts before what it says.
int32_t FrontEnd::rejectRoute(uint32_t ticket, int32_t code) {
  const auto& request = *requests_[ticket];
  return reject(ticket, protocols::isJson({request.body, request.binary}) ? code : kRouteMalformed);
}

int32_t FrontEnd::rejectAdmission(uint32_t ticket, Admission admission) {
  const auto code = -static_cast<int32_t>(admission);
  return admission == Admission::kNoDeployment ? rejectRoute(ticket, code) : reject(ticket, code);
}

// append(ticket, chunk): false where the engine holds too many bytes; the request is then
// discarded.
napi_value FrontEnd::append(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 2> call(env, info);
  std::string_view whole;
  return call.boolean(call.self->openBody(call.uint32(0), call.args[1], whole) == 0);
}

// Copies a body's next part. `whole` is then what there is of the body so far: where it came in one
// piece, the caller's memory, which this core has at hand, while the copy may have to wait for the
// core that had the request last.
// @returns 0, or why it was refused
int32_t FrontEnd::openBody(uint32_t ticket, napi_value chunk, std::string_view& whole) {
  void* bytes = nullptr;
  size_t size = 0;
  // uWebSockets.js brings ArrayBuffers; asking what a value is costs as much as trying.
  if (napi_get_arraybuffer_info(env_, chunk, &bytes, &size) != napi_ok) {
    napi_get_typedarray_info(env_, chunk, nullptr, &size, &bytes, nullptr, nullptr);
  }
  if (ticket >= requests_.size()) requests_.resize(ticket + 64, nullptr);
  auto*& request = requests_[ticket];
  if (!request) {
    request = channel_->open(ticket, bytes, size);
    whole = {static_cast<const char*>(bytes), size};
    return request ? 0 : kTooManyBytes;
  }
  if (!channel_->append(*request, bytes, size)) return reject(ticket, kTooManyBytes);
  whole = request->body.view();
  return 0;
}

// Finds the deployment that a whole body names. @returns 0, or why it was refused
int32_t FrontEnd::routeOf(uint32_t ticket, std::string_view body, std::string_view& id) {
  switch (protocols::scanDeploymentId(body, id)) {
    case protocols::RouteScan::kAbsent:
      return rejectRoute(ticket, kRouteAbsent);
    case protocols::RouteScan::kNotText:
      return rejectRoute(ticket, kRouteNotText);
    case protocols::RouteScan::kMalformed:
      return rejectRoute(ticket, kNotAnObject);
    case protocols::RouteScan::kFound:
      return 0;
  }
  return kRouteMalformed;
}

// submit(ticket, owner, handle or -1, chunk): the deployment's handle, or why it was refused.
napi_value FrontEnd::submit(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 4> call(env, info);
  auto& self = *call.self;
  const uint32_t ticket = call.uint32(0);
  const uint32_t owner = call.uint32(1);
  const int32_t handle = call.int32(2);
  std::string_view body;
  if (const int32_t refused = self.openBody(ticket, call.args[3], body)) {
    return call.number(refused);
  }
  Request* request = self.requests_[ticket];
  auto& scheduler = self.engine_->scheduler;
  if (handle != kByBody) {
    return call.number(
        self.submitted(ticket, scheduler.submit(request, static_cast<uint32_t>(handle), owner)));
  }
  std::string_view id;
  if (const int32_t refused = self.routeOf(ticket, body, id)) return call.number(refused);
  return call.number(self.submitted(ticket, scheduler.submit(request, id, owner)));
}

// @returns the handle of the deployment that has the request, or why it was refused
int32_t FrontEnd::submitted(uint32_t ticket, const Submission& submission) {
  if (submission.admission != Admission::kQueued) {
    return rejectAdmission(ticket, submission.admission);
  }
  const uint32_t taken = submission.handle;
  if (pendingWakes_.empty() || pendingWakes_.back() != taken) pendingWakes_.push_back(taken);
  pendingWakeNs_ += submission.requestNs;
  pendingWakeBytes_ += requests_[ticket]->body.size();
  // Requests that arrive in one turn of the event loop share a wake-up, unless they are much work.
  if (pendingWakeNs_ >= serving::kWorthWakingNs) notifyWorkers();
  return static_cast<int32_t>(taken);
}

// flush(): to be called once the requests at hand are submitted.
napi_value FrontEnd::flush(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 1> call(env, info);
  auto& self = *call.self;
  if (self.pendingWakes_.empty()) return nullptr;
  if (self.pendingWakeNs_ <= self.engine_->scheduler.inlineNs() &&
      self.pendingWakeBytes_ <= serving::kInlineBytes) {
    self.runInline();
  }
  self.notifyWorkers();
  return nullptr;
}

void FrontEnd::runInline() {
  auto& scheduler = engine_->scheduler;
  for (const uint32_t handle : pendingWakes_) {
    while (auto* batch = scheduler.takeInline(*worker_, handle)) {
      worker_->runner.run(*batch, *worker_->token);
      scheduler.finish(*worker_, batch);
      // The workers have it now.
      if (worker_->token->cancelled()) return;
    }
  }
}

// discard(ticket): the body's client went before it was submitted.
napi_value FrontEnd::discard(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 1> call(env, info);
  auto& self = *call.self;
  const uint32_t ticket = call.uint32(0);
  if (ticket < self.requests_.size() && self.requests_[ticket]) self.reject(ticket, 0);
  return nullptr;
}

// cancel(ticket): true where no completion will come.
napi_value FrontEnd::cancel(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 1> call(env, info);
  auto& self = *call.self;
  const uint32_t ticket = call.uint32(0);
  Request* request = ticket < self.requests_.size() ? self.requests_[ticket] : nullptr;
  if (!request || !self.engine_->scheduler.cancel(request)) return call.boolean(false);
  self.reject(ticket, 0);
  return call.boolean(true);
}

// The answer as its client gets it: on a connection of many requests, with its id.
protocols::FrameWriter FrontEnd::frameOf(const Request& request) {
  const auto& id = request.stream ? request.stream->frameId : request.frameId;
  const bool failed = request.outcome == Outcome::kFailed;
  const bool isOutput = request.outcome == Outcome::kOutput;
  head_.clear();
  if (!id.empty()) head_.append("{\"id\":").append(id).append(",");
  if (isOutput) {
    if (id.empty()) head_ += '{';
    head_.append("\"seq\":").append(std::to_string(request.seq)).append(",");
  } else if (!id.empty()) {
    head_ += failed ? "\"error\":" : "\"done\":true,";
  }
  return {head_, request.answer, failed && !id.empty() ? "}" : "", request.binaryAnswer};
}

// drain(): how many records it wrote; the negative of that where more wait.
napi_value FrontEnd::drain(napi_env env, napi_callback_info info) {
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
    // Another core wrote it.
    if (self.next_ + 1 < self.drained_.size()) {
      __builtin_prefetch(self.drained_[self.next_ + 1]->answer.data());
    }
    if (request->stream && request->stream->cancelled()) {
      self.channel_->release(request);
      ++self.next_;
      continue;
    }
    const auto frame = self.frameOf(*request);
    const size_t length = request->outcome == Outcome::kRoom ? 0 : frame.size();
    const bool large = length > self.outboxSize_;
    // A large one is taken before the next is looked at.
    if (large ? count > 0 : offset + length > self.outboxSize_) break;
    int32_t* record = self.records_ + count * kRecordLength;
    record[0] = static_cast<int32_t>(request->ticket);
    record[1] = static_cast<int32_t>(request->outcome) | (request->binaryAnswer ? kBinaryFlag : 0);
    record[2] = static_cast<int32_t>(request->rows);
    record[3] = large ? kOutsideOutbox : static_cast<int32_t>(offset);
    record[4] = static_cast<int32_t>(length);
    record[5] = microseconds(request->processingNs);
    record[6] = microseconds(request->queueNs);
    record[7] = microseconds(request->batchNs);
    ++count;
    ++self.next_;
    if (large) {
      self.large_.resize(length);
      frame.write(self.large_.data());
    } else if (length > 0) {
      frame.write(reinterpret_cast<char*>(self.outbox_) + offset);
      offset += length;
    }
    self.delivered(request);
    if (large) break;
  }
  serving::Channel::releaseAll(self.delivered_);
  const auto written = static_cast<int32_t>(count);
  return call.number(self.next_ < self.drained_.size() ? -written : written);
}

// A completion has been written to where JavaScript reads it.
void FrontEnd::delivered(Request* request) {
  delivered_.push_back(request);
  if (!request->stream) {
    requests_[request->ticket] = nullptr;
    return;
  }
  request->stream->fetched(*request);
  const bool last = request->outcome == Outcome::kAnswered || request->outcome == Outcome::kFailed;
  if (last) streams_[request->ticket].reset();
}

// takeLarge(): the answer that did not fit into the outbox, as an ArrayBuffer over its own memory.
napi_value FrontEnd::takeLarge(napi_env env, napi_callback_info info) {
  const RawCall<FrontEnd, 1> call(env, info);
  auto owned = std::make_unique<std::string>(std::exchange(call.self->large_, {}));
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

Napi::Value createFrontEnd(const Napi::CallbackInfo& info) {
  auto* frontEnd = new FrontEnd(info.Env(), info[0],
                                static_cast<size_t>(info[1].As<Napi::Number>().Int64Value()),
                                info[2].As<Napi::Int32Array>(), info[3].As<Napi::Uint8Array>(),
                                info[4].As<Napi::Int32Array>());
  return frontEnd->exports();
}

}  // namespace cloudeasyml::bindings
