// A socket thread's access to the engine.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/functions.h"
#include "bindings/wakeUp.h"
#include "engine.h"
#include "protocols/envelope.h"
#include "protocols/frame.h"
#include "serving/channel.h"
#include "serving/requestPool.h"
#include "serving/stream.h"

namespace cloudeasyml::bindings {

/// Submits one thread's requests and streams to the engine, and delivers their completions. Lives
/// until its environment is torn down.
///
/// A ticket is the caller's number for a request or a stream. The functions that JavaScript sees
/// are described in src/engine/frontEnd.ts.
class FrontEnd {
 public:
  FrontEnd(Napi::Env env, Napi::Function onCompletions, Napi::Int32Array records,
           Napi::Uint8Array outbox, Napi::Int32Array scanned);

  Napi::Object exports();

 private:
  void cleanUp();

  // Requests.

  int32_t append(uint32_t ticket, uint32_t owner, Bytes chunk);
  int32_t submit(uint32_t ticket, uint32_t owner, int32_t endpoint, Bytes chunk);
  void setEnvelope(uint32_t priority, uint32_t timeoutMs, bool isFrame);
  void setRequestId(std::string requestId);
  double shedWaitMs();
  void flush();
  void discard(uint32_t ticket);
  bool cancel(uint32_t ticket);
  int32_t drain();
  napi_value takeLarge();
  void holdAnswer(uint32_t owner, double bytes);
  void releaseAnswer(uint32_t owner, double bytes);

  // Frames and streams.

  int32_t scanFrame(Bytes frame, bool isBinary);
  int32_t submitFrame(uint32_t ticket, uint32_t owner, Bytes frame);
  int32_t openStream(uint32_t ticket, uint32_t owner, int32_t endpoint, Bytes chunk);
  int32_t openFrameStream(uint32_t ticket, uint32_t owner, Bytes frame);
  int32_t pushInput(uint32_t ticket, uint32_t owner, Bytes frame);
  void endInput(uint32_t ticket);
  void holdReader(uint32_t ticket, bool held);
  void cancelStream(uint32_t ticket);

  /// What the headers of a request say.
  struct Headers {
    /// Priority and timeout.
    protocols::Envelope envelope;
    /// It is in `requestId_`.
    bool hasRequestId = false;
  };

  void notifyWorkers(bool isInline);
  bool runInline(const std::shared_ptr<serving::Deployment>& deployment);
  void drop(uint32_t ticket);
  int32_t reject(uint32_t ticket, Admission why);
  int32_t rejectRoute(uint32_t ticket, Admission why);
  int32_t rejectAdmission(uint32_t ticket, Admission why);
  int32_t submitted(uint32_t ticket, const serving::Submission& submission);
  int32_t openBody(uint32_t ticket, uint32_t owner, Bytes chunk, std::string_view& whole);
  int32_t openFrame(uint32_t ticket, uint32_t owner, Bytes frame);
  int32_t readHead(uint32_t ticket, std::string_view body, const Headers& headers);
  int32_t routeOf(uint32_t ticket, std::string_view body, std::string_view& id);
  int32_t begin(uint32_t ticket, uint32_t owner, int32_t endpoint, std::string_view id,
                std::string tag);
  serving::Stream* streamOf(uint32_t ticket) const;
  protocols::FrameWriter frameOf(const serving::Request& request);
  void writeRecord(int32_t* record, const serving::Request& request, int32_t offset,
                   size_t length) const;
  void delivered(serving::Request* request);

  const Napi::Env env_;
  const std::shared_ptr<Engine> engine_;
  // Destroyed after the channel is closed, which calls it.
  const WakeUp wakeUp_;
  const std::shared_ptr<serving::Channel> channel_;
  const std::shared_ptr<serving::RequestPool> pool_;
  Napi::Reference<Napi::Int32Array> recordsReference_;
  Napi::Reference<Napi::Uint8Array> outboxReference_;
  Napi::Reference<Napi::Int32Array> scannedReference_;
  int32_t* records_;
  size_t maxRecords_;
  uint8_t* outbox_;
  size_t outboxSize_;
  int32_t* scanned_;
  /// The frame scanned last; its views point into the caller's bytes.
  protocols::Frame frame_;
  bool frameIsBinary_ = false;
  /// Of the next request.
  Headers headers_;
  std::string requestId_;
  /// The expected wait of the request that was shed last.
  int64_t shedWaitNs_ = 0;
  /// By ticket: the requests that are out.
  std::vector<serving::Request*> requests_;
  /// By ticket: the streams that are open.
  std::vector<std::shared_ptr<serving::Stream>> streams_;
  /// Deployments with pending wake-ups, and the expected work and body bytes of their requests.
  std::vector<uint32_t> pendingWakes_;
  int64_t pendingWakeNs_ = 0;
  size_t pendingWakeBytes_ = 0;
  /// Stands for this thread in inline runs.
  std::shared_ptr<serving::Worker> worker_;
  std::vector<serving::Request*> drained_;
  size_t next_ = 0;
  /// Requests delivered in this drain.
  std::vector<serving::Request*> delivered_;
  /// The head of the frame written last, and its failure.
  std::string head_;
  std::string failure_;
  /// The last record's frame, where the outbox is too small for it.
  std::string large_;
};

}  // namespace cloudeasyml::bindings
