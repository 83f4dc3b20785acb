#include "bindings/frontEnd.h"

#include <cstring>
#include <utility>

#include "bindings/addonData.h"
#include "bindings/exports.h"
#include "protocols/predictProtocol.h"
#include "protocols/routeScan.h"
#include "serving/wakeHandle.h"

namespace cloudeasyml::bindings {

using serving::Request;
using serving::Submission;

namespace {

constexpr int32_t kOutsideOutbox = -1;
/// Of a body that is parsed on this thread, to explain a refusal.
constexpr size_t kParsedBytes = 256 * 1024;

int32_t microseconds(int64_t ns) { return static_cast<int32_t>(ns / 1000); }

// Whether a body begins as gzip's or zlib's data do, which no JSON does.
bool looksCompressed(const Bytes& chunk) {
  if (chunk.size < 2) return false;
  const auto* bytes = reinterpret_cast<const uint8_t*>(chunk.data);
  if (bytes[0] == 0x1f) return bytes[1] == 0x8b;
  return bytes[0] == 0x78 && ((bytes[0] << 8) | bytes[1]) % 31 == 0;
}

Admission admissionOf(serving::ByteBudget::Result result) {
  switch (result) {
    case serving::ByteBudget::Result::kUserFull:
      return Admission::kTooManyUserBytes;
    case serving::ByteBudget::Result::kServerFull:
      return Admission::kTooManyBytes;
    case serving::ByteBudget::Result::kTaken:
      break;
  }
  return Admission::kQueued;
}

}  // namespace

FrontEnd::FrontEnd(Napi::Env env, Napi::Function onCompletions, Napi::Int32Array records,
                   Napi::Uint8Array outbox, Napi::Int32Array scanned)
    : env_(env),
      engine_(Engine::acquire()),
      wakeUp_(env, onCompletions, "cloudeasyml:completions"),
      channel_(std::make_shared<serving::Channel>(
          std::make_shared<serving::WakeHandle>([this] { wakeUp_.wake(); }))),
      pool_(std::make_shared<serving::RequestPool>(channel_, engine_->budget)),
      recordsReference_(Napi::Persistent(records)),
      outboxReference_(Napi::Persistent(outbox)),
      scannedReference_(Napi::Persistent(scanned)),
      records_(records.Data()),
      maxRecords_(records.ElementLength() / CompletionRecord::kSize),
      outbox_(outbox.Data()),
      outboxSize_(outbox.ByteLength()),
      scanned_(scanned.Data()),
      worker_(engine_->dispatcher.addWorker(
          nullptr, [engine = std::weak_ptr(engine_), threadId = AddonData::of(env).threadId] {
            return makeToken(engine.lock(), threadId);
          })) {
  napi_add_env_cleanup_hook(env, cleanupHook<FrontEnd, &FrontEnd::cleanUp>, this);
}

Napi::Object FrontEnd::exports() {
  static constexpr Function<FrontEnd> kFunctions[] = {
      {"append", callback<&FrontEnd::append>},
      {"submit", callback<&FrontEnd::submit>},
      {"setEnvelope", callback<&FrontEnd::setEnvelope>},
      {"setRequestId", callback<&FrontEnd::setRequestId>},
      {"shedWaitMs", callback<&FrontEnd::shedWaitMs>},
      {"flush", callback<&FrontEnd::flush>},
      {"discard", callback<&FrontEnd::discard>},
      {"cancel", callback<&FrontEnd::cancel>},
      {"drain", callback<&FrontEnd::drain>},
      {"takeLarge", callback<&FrontEnd::takeLarge>},
      {"holdAnswer", callback<&FrontEnd::holdAnswer>},
      {"releaseAnswer", callback<&FrontEnd::releaseAnswer>},
      {"scanFrame", callback<&FrontEnd::scanFrame>},
      {"submitFrame", callback<&FrontEnd::submitFrame>},
      {"openStream", callback<&FrontEnd::openStream>},
      {"openFrameStream", callback<&FrontEnd::openFrameStream>},
      {"pushInput", callback<&FrontEnd::pushInput>},
      {"endInput", callback<&FrontEnd::endInput>},
      {"holdReader", callback<&FrontEnd::holdReader>},
      {"cancelStream", callback<&FrontEnd::cancelStream>},
  };
  auto object = Napi::Object::New(env_);
  bindFunctions(object, kFunctions, this);
  return object;
}

void FrontEnd::cleanUp() {
  for (auto* request : requests_) {
    if (request && engine_->dispatcher.cancel(request)) pool_->release(request);
  }
  for (auto& stream : streams_) {
    if (stream) stream->cancel();
  }
  // Drained, but not delivered to JavaScript.
  for (; next_ < drained_.size(); ++next_) pool_->release(drained_[next_]);
  engine_->dispatcher.removeWorker(*worker_);
  channel_->close();
  pool_->close();
  // References die with the environment.
  recordsReference_.SuppressDestruct();
  outboxReference_.SuppressDestruct();
  scannedReference_.SuppressDestruct();
  delete this;
}

// Runs what waits on this thread where it may, and wakes workers for the rest.
void FrontEnd::notifyWorkers(bool isInline) {
  for (const uint32_t handle : pendingWakes_) {
    const auto deployment = engine_->directory.find(handle);
    if (!deployment) continue;
    if (isInline) isInline = runInline(deployment);
    engine_->dispatcher.wakeWorkers(deployment);
  }
  pendingWakes_.clear();
  pendingWakeNs_ = 0;
  pendingWakeBytes_ = 0;
}

void FrontEnd::drop(uint32_t ticket) { pool_->release(std::exchange(requests_[ticket], nullptr)); }

int32_t FrontEnd::reject(uint32_t ticket, Admission why) {
  drop(ticket);
  return static_cast<int32_t>(why);
}

// Refuses a body that can't be routed. Where it is no JSON, that is the error, unless finding that
// out would hold up the sockets.
int32_t FrontEnd::rejectRoute(uint32_t ticket, Admission why) {
  const auto& request = *requests_[ticket];
  const bool isWellFormed =
      request.body.size() > kParsedBytes || request.protocol->isWellFormed(request.body);
  return reject(ticket, isWellFormed ? why : Admission::kRouteMalformed);
}

int32_t FrontEnd::rejectAdmission(uint32_t ticket, Admission why) {
  return why == Admission::kNoDeployment ? rejectRoute(ticket, why) : reject(ticket, why);
}

/// @returns 0, or why it was refused; the request is then discarded
int32_t FrontEnd::append(uint32_t ticket, uint32_t owner, Bytes chunk) {
  std::string_view whole;
  return openBody(ticket, owner, chunk, whole);
}

// Copies a body's next part. `whole` is then the body so far. For a body in one piece it is the
// caller's memory, which is in this core's cache; the copy's lines may be in another's.
// @returns 0, or why it was refused
int32_t FrontEnd::openBody(uint32_t ticket, uint32_t owner, Bytes chunk, std::string_view& whole) {
  if (ticket >= requests_.size()) requests_.resize(ticket + 64, nullptr);
  auto*& request = requests_[ticket];
  if (!request) {
    if (looksCompressed(chunk)) return static_cast<int32_t>(Admission::kCompressed);
    const auto user = serving::userOf(owner);
    const auto admission = admissionOf(pool_->open(ticket, user, chunk.data, chunk.size, request));
    whole = chunk.view();
    if (request) request->protocol = &protocols::predictProtocol(false, false);
    return static_cast<int32_t>(admission);
  }
  const auto admission = admissionOf(pool_->append(*request, chunk.data, chunk.size));
  if (admission != Admission::kQueued) return reject(ticket, admission);
  whole = request->body.view();
  return 0;
}

// Finds the deployment that a whole body names. @returns 0, or why it was refused
int32_t FrontEnd::routeOf(uint32_t ticket, std::string_view body, std::string_view& id) {
  switch (protocols::scanDeploymentId(body, id)) {
    case protocols::RouteScan::kAbsent:
      return rejectRoute(ticket, Admission::kRouteAbsent);
    case protocols::RouteScan::kNotText:
      return rejectRoute(ticket, Admission::kRouteNotText);
    case protocols::RouteScan::kMalformed:
      return rejectRoute(ticket, Admission::kNotAnObject);
    case protocols::RouteScan::kTooManyMembers:
      return reject(ticket, Admission::kTooManyMembers);
    case protocols::RouteScan::kFound:
      break;
  }
  return 0;
}

// Reads priority and timeout from a whole body. The headers count before it.
// @returns 0, or why it was refused
int32_t FrontEnd::readHead(uint32_t ticket, std::string_view body, const Headers& headers) {
  if (headers.hasRequestId) requests_[ticket]->requestId = requestId_;
  const auto& given = headers.envelope;
  auto& envelope = requests_[ticket]->envelope;
  if (given.isFrame) {
    requests_[ticket]->protocol = &protocols::predictProtocol(true, false);
    envelope = given;
    return 0;
  }
  switch (protocols::scanEnvelope(body, envelope)) {
    case protocols::EnvelopeFault::kPriority:
      return rejectRoute(ticket, Admission::kPriority);
    case protocols::EnvelopeFault::kTimeout:
      return rejectRoute(ticket, Admission::kTimeout);
    case protocols::EnvelopeFault::kMembers:
      return reject(ticket, Admission::kTooManyMembers);
    case protocols::EnvelopeFault::kNone:
      break;
  }
  if (given.priority > 0) envelope.priority = given.priority;
  if (given.timeoutMs > 0) envelope.timeoutMs = given.timeoutMs;
  return 0;
}

/// Sets priority and timeout from the headers of the next request; 0 for a header that is absent.
/// @param isFrame its body is a binary frame
void FrontEnd::setEnvelope(uint32_t priority, uint32_t timeoutMs, bool isFrame) {
  auto& envelope = headers_.envelope;
  envelope.isFrame = isFrame;
  envelope.priority = static_cast<uint8_t>(priority);
  envelope.timeoutMs = timeoutMs;
}

/// Sets what the client calls the next request.
void FrontEnd::setRequestId(std::string requestId) {
  headers_.hasRequestId = true;
  requestId_ = std::move(requestId);
}

/// @returns the expected wait of the request that was shed last
double FrontEnd::shedWaitMs() { return static_cast<double>(shedWaitNs_) / 1e6; }

/// @param endpoint an endpoint's number, or Route::kByBody
/// @returns the handle of the deployment that has the request, or why it was refused
int32_t FrontEnd::submit(uint32_t ticket, uint32_t owner, int32_t endpoint, Bytes chunk) {
  // Not for the next request, even where this one is refused.
  const auto headers = std::exchange(headers_, {});
  std::string_view body;
  if (const int32_t refused = openBody(ticket, owner, chunk, body)) return refused;
  if (const int32_t refused = readHead(ticket, body, headers)) return refused;
  Request* request = requests_[ticket];
  auto& dispatcher = engine_->dispatcher;
  if (endpoint != Route::kByBody) {
    return submitted(ticket, dispatcher.submit(request, static_cast<uint32_t>(endpoint), owner));
  }
  std::string_view id;
  if (const int32_t refused = routeOf(ticket, body, id)) return refused;
  return submitted(ticket, dispatcher.submit(request, id, owner));
}

// @returns the handle of the deployment that has the request, or why it was refused
int32_t FrontEnd::submitted(uint32_t ticket, const Submission& submission) {
  if (submission.admission != Admission::kQueued) {
    shedWaitNs_ = submission.waitNs;
    return rejectAdmission(ticket, submission.admission);
  }
  const uint32_t taken = submission.handle;
  if (pendingWakes_.empty() || pendingWakes_.back() != taken) pendingWakes_.push_back(taken);
  pendingWakeNs_ += submission.requestNs;
  pendingWakeBytes_ += requests_[ticket]->body.size();
  // Requests that arrive in one turn of the event loop share a wake-up, unless they are much work.
  if (pendingWakeNs_ >= serving::kWorthWakingNs) notifyWorkers(false);
  return static_cast<int32_t>(taken);
}

/// To be called when all requests of a turn are submitted.
void FrontEnd::flush() {
  if (pendingWakes_.empty()) return;
  notifyWorkers(pendingWakeNs_ <= engine_->dispatcher.inlineNs() &&
                pendingWakeBytes_ <= serving::kInlineBytes);
}

// @returns false where a run took too long; workers take the rest
bool FrontEnd::runInline(const std::shared_ptr<serving::Deployment>& deployment) {
  auto& dispatcher = engine_->dispatcher;
  while (auto* batch = dispatcher.takeInline(*worker_, deployment)) {
    if (!dispatcher.run(*worker_, batch) || worker_->token->cancelled()) return false;
  }
  return true;
}

/// Drops a body whose client went before it was submitted.
void FrontEnd::discard(uint32_t ticket) {
  if (ticket < requests_.size() && requests_[ticket]) drop(ticket);
}

/// @returns true where no completion will come
bool FrontEnd::cancel(uint32_t ticket) {
  Request* request = ticket < requests_.size() ? requests_[ticket] : nullptr;
  if (!request || !engine_->dispatcher.cancel(request)) return false;
  drop(ticket);
  return true;
}

// The answer for the client; on a connection of many requests, with its id.
protocols::FrameWriter FrontEnd::frameOf(const Request& request) {
  const auto& id = request.stream ? request.stream->tag : request.tag;
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
  if (!failed) return {head_, request.answer, "", request.binaryAnswer};
  request.protocol->encodeFailure(failure_, *request.failure);
  return {head_, failure_, id.empty() ? "" : "}", false};
}

/// @returns how many records it wrote; the negative of that where more wait
int32_t FrontEnd::drain() {
  if (next_ == drained_.size()) {
    drained_.clear();
    next_ = 0;
    channel_->drain(drained_);
  }
  size_t count = 0;
  size_t offset = 0;
  while (next_ < drained_.size() && count < maxRecords_) {
    Request* request = drained_[next_];
    // Another core wrote it: fetch it early.
    if (next_ + 1 < drained_.size()) {
      __builtin_prefetch(drained_[next_ + 1]->answer.data());
    }
    if (request->stream && request->stream->cancelled()) {
      pool_->release(request);
      ++next_;
      continue;
    }
    const auto frame = frameOf(*request);
    const size_t length = request->outcome == Outcome::kRoom ? 0 : frame.size();
    const bool large = length > outboxSize_;
    // JavaScript takes a large one before the next is written.
    if (large ? count > 0 : offset + length > outboxSize_) break;
    writeRecord(records_ + count * CompletionRecord::kSize, *request,
                large ? kOutsideOutbox : static_cast<int32_t>(offset), length);
    ++count;
    ++next_;
    if (large && head_.empty() && request->outcome == Outcome::kAnswered &&
        !request->binaryAnswer) {
      // The frame is the answer itself.
      large_ = std::move(request->answer);
    } else if (large) {
      large_.resize(length);
      frame.write(large_.data());
    } else if (length > 0) {
      frame.write(reinterpret_cast<char*>(outbox_) + offset);
      offset += length;
    }
    delivered(request);
    if (large) break;
  }
  serving::RequestPool::releaseAll(delivered_);
  const auto written = static_cast<int32_t>(count);
  return next_ < drained_.size() ? -written : written;
}

void FrontEnd::writeRecord(int32_t* record, const Request& request, int32_t offset,
                           size_t length) const {
  record[CompletionRecord::kTicket] = static_cast<int32_t>(request.ticket);
  record[CompletionRecord::kOutcome] =
      static_cast<int32_t>(request.outcome) | (request.binaryAnswer ? CompletionFlag::kBinary : 0);
  record[CompletionRecord::kRows] = static_cast<int32_t>(request.rows);
  record[CompletionRecord::kOffset] = offset;
  record[CompletionRecord::kLength] = static_cast<int32_t>(length);
  record[CompletionRecord::kProcessingUs] = microseconds(request.processingNs);
  record[CompletionRecord::kQueueUs] = microseconds(request.queueNs);
  record[CompletionRecord::kBatchUs] = microseconds(request.batchNs);
  record[CompletionRecord::kChargedUs] = microseconds(request.chargedNs);
}

// Notes that a completion is in the outbox.
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

/// Counts bytes that JavaScript keeps for a user until a client has read them.
void FrontEnd::holdAnswer(uint32_t owner, double bytes) {
  auto& budget = pool_->budget();
  budget.add(budget.shareOf(serving::userOf(owner)), static_cast<size_t>(bytes));
}

void FrontEnd::releaseAnswer(uint32_t owner, double bytes) {
  auto& budget = pool_->budget();
  budget.give(budget.shareOf(serving::userOf(owner)), static_cast<size_t>(bytes));
}

/// The answer that did not fit into the outbox, as an ArrayBuffer over its own memory.
napi_value FrontEnd::takeLarge() {
  auto owned = std::make_unique<std::string>(std::exchange(large_, {}));
  napi_value buffer = nullptr;
  const auto status = napi_create_external_arraybuffer(
      env_, owned->data(), owned->size(),
      [](napi_env, void*, void* hint) { delete static_cast<std::string*>(hint); }, owned.get(),
      &buffer);
  if (status == napi_ok) {
    owned.release();
    return buffer;
  }
  // Some embedders forbid external memory.
  void* copy = nullptr;
  napi_create_arraybuffer(env_, owned->size(), &copy, &buffer);
  if (copy) std::memcpy(copy, owned->data(), owned->size());
  return buffer;
}

Napi::Value createFrontEnd(Napi::Env env, Napi::Function onCompletions, Napi::Int32Array records,
                           Napi::Uint8Array outbox, Napi::Int32Array scanned) {
  // Its cleanup hook deletes it.
  return (new FrontEnd(env, onCompletions, records, outbox, scanned))->exports();
}

}  // namespace cloudeasyml::bindings
