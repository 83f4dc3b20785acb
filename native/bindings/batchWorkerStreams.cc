// A worker's functions for streams.
#include <limits>
#include <utility>

#include "bindings/batchWorker.h"
#include "serving/channel.h"
#include "serving/requestPool.h"
#include "serving/streamInbox.h"
#include "serving/time.h"

namespace cloudeasyml::bindings {

using serving::Request;
using serving::Stream;

/// @returns [the stream's or batch's number, its deployment's handle, notices, …]
napi_value BatchWorker::takeNotices() {
  const auto entries = worker_->inbox->take();
  napi_value array = nullptr;
  napi_create_array_with_length(env_, entries.size() * 3, &array);
  uint32_t next = 0;
  const auto add = [&](uint32_t number) {
    napi_value value = nullptr;
    napi_create_uint32(env_, number, &value);
    napi_set_element(env_, array, next++, value);
  };
  for (const auto& entry : entries) {
    add(entry.number);
    add(entry.handle);
    add(entry.notices);
  }
  return array;
}

std::shared_ptr<Stream> BatchWorker::streamOf(uint32_t number) const {
  return engine_->dispatcher.streamOf(*worker_, number);
}

/// @returns a body; undefined where none has come yet, null after the last
napi_value BatchWorker::takeInput(uint32_t number) {
  const auto stream = streamOf(number);
  napi_value value = nullptr;
  Request* input = nullptr;
  const auto state = stream ? stream->take(input) : Stream::Input::kEnded;
  if (state == Stream::Input::kTaken) {
    value = bodyValue(*input);
    input->pool->release(input);
  } else if (state == Stream::Input::kEnded) {
    napi_get_null(env_, &value);
  }
  return value;
}

/// @returns false where the plugin should yield no more for now
bool BatchWorker::emit(uint32_t number, napi_value body) {
  const auto stream = streamOf(number);
  if (!stream) return false;
  Request* output = stream->openCompletion();
  readAnswer(body, *output);
  return isDeliverable(*stream, *output) && stream->emit(output);
}

// Ends the stream where an output or its end can't be delivered, and drops that.
bool BatchWorker::isDeliverable(Stream& stream, Request& completion) {
  auto refusal = serving::holdAnswer(completion, stream.deployment->limits.answerBytes);
  if (!refusal) return true;
  completion.pool->release(&completion);
  stream.fail(std::move(*refusal));
  return false;
}

bool BatchWorker::closeStream(Stream& stream, Request* completion, double milliseconds,
                              uint32_t rows) {
  completion->processingNs = completion->chargedNs = static_cast<int64_t>(milliseconds * 1e6);
  completion->rows = rows;
  const bool isDelivered = stream.finish(completion);
  engine_->dispatcher.closeStream(*worker_, stream.number);
  return isDelivered;
}

/// @returns false where it had ended before
bool BatchWorker::endStream(uint32_t number, napi_value answer, double milliseconds,
                            uint32_t inputs) {
  const auto stream = streamOf(number);
  if (!stream) return false;
  Request* completion = stream->openCompletion();
  readAnswer(answer, *completion);
  if (auto refusal = serving::holdAnswer(*completion, stream->deployment->limits.answerBytes)) {
    completion->setFailure(std::move(*refusal));
  }
  return closeStream(*stream, completion, milliseconds, inputs);
}

/// @returns likewise
bool BatchWorker::failStream(uint32_t number, const std::string& code, const std::string& detail,
                             const std::string& path, double milliseconds, uint32_t inputs) {
  const auto stream = streamOf(number);
  if (!stream) return false;
  Request* completion = stream->openCompletion();
  completion->setFailure({errorCodeNamed(code), detail, path});
  return closeStream(*stream, completion, milliseconds, inputs);
}

// Runs from here on use the stream's token.
void BatchWorker::enterStream(uint32_t number) {
  if (const auto stream = streamOf(number)) data_.scopedToken = stream->token();
}

void BatchWorker::leaveScope() { data_.scopedToken.reset(); }

std::string BatchWorker::streamRequestId(uint32_t number) {
  const auto stream = streamOf(number);
  return stream ? stream->requestId : std::string();
}

/// @returns the milliseconds until the plugin's step is due; infinite where it owes none
double BatchWorker::stepTimeLeft(uint32_t number) {
  const auto stream = streamOf(number);
  const int64_t dueNs = stream ? stream->stepDueNs() : serving::kNever;
  if (dueNs == serving::kNever) return std::numeric_limits<double>::infinity();
  return static_cast<double>(dueNs - serving::nowNs()) / 1e6;
}

}  // namespace cloudeasyml::bindings
