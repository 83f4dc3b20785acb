// The parts of a worker that know streams.
#include "bindings/batchWorker.h"
#include "protocols/jsonText.h"
#include "serving/channel.h"
#include "serving/streamInbox.h"

namespace cloudeasyml::bindings {

using serving::Request;
using serving::Stream;

// takeNotices(): [stream's number, its deployment's handle, notices, …]
napi_value BatchWorker::takeNotices(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  const auto entries = call.self->worker_->inbox->take();
  napi_value array;
  napi_create_array_with_length(env, entries.size() * 3, &array);
  uint32_t next = 0;
  const auto add = [&](uint32_t number) {
    napi_value value;
    napi_create_uint32(env, number, &value);
    napi_set_element(env, array, next++, value);
  };
  for (const auto& [stream, notices] : entries) {
    add(stream->number);
    add(stream->deployment->handle);
    add(notices);
  }
  return array;
}

std::shared_ptr<Stream> BatchWorker::streamOf(uint32_t number) const {
  return engine_->scheduler.streamOf(*worker_, number);
}

// takeInput(number): a body; undefined where none has come yet, null where none will.
napi_value BatchWorker::takeInput(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  const auto stream = call.self->streamOf(call.uint32(0));
  napi_value value = nullptr;
  Request* input = nullptr;
  const auto state = stream ? stream->take(input) : Stream::Input::kEnded;
  if (state == Stream::Input::kTaken) {
    value = call.self->bodyValue(*input);
    input->channel->release(input);
  } else if (state == Stream::Input::kEnded) {
    napi_get_null(env, &value);
  }
  return value;
}

// emit(number, JSON text or a binary frame): false where the plugin should make no more for now.
napi_value BatchWorker::emit(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 2> call(env, info);
  const auto stream = call.self->streamOf(call.uint32(0));
  if (!stream) return call.boolean(false);
  Request* output = stream->channel->openCompletion(stream->ticket);
  call.self->readAnswer(call.args[1], *output);
  return call.boolean(stream->emit(output));
}

bool BatchWorker::closeStream(Stream& stream, Request* completion, napi_value milliseconds,
                              napi_value rows) {
  double elapsed = 0;
  napi_get_value_double(env_, milliseconds, &elapsed);
  completion->processingNs = static_cast<int64_t>(elapsed * 1e6);
  napi_get_value_uint32(env_, rows, &completion->rows);
  const bool isDelivered = stream.finish(completion);
  engine_->scheduler.closeStream(*worker_, stream.number);
  return isDelivered;
}

// endStream(number, JSON text, milliseconds, inputs): false where it had been ended before.
napi_value BatchWorker::endStream(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 4> call(env, info);
  const auto stream = call.self->streamOf(call.uint32(0));
  if (!stream) return call.boolean(false);
  Request* completion = stream->channel->openCompletion(stream->ticket);
  call.self->readAnswer(call.args[1], *completion);
  return call.boolean(call.self->closeStream(*stream, completion, call.args[2], call.args[3]));
}

// failStream(number, code, detail, path, milliseconds, inputs): likewise.
napi_value BatchWorker::failStream(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 6> call(env, info);
  const auto& self = *call.self;
  const auto stream = self.streamOf(call.uint32(0));
  if (!stream) return call.boolean(false);
  Request* completion = stream->channel->openCompletion(stream->ticket);
  completion->outcome = serving::Outcome::kFailed;
  protocols::writeFailure(completion->answer, self.text(call.args[1]).c_str(), self.text(call.args[2]),
                      self.text(call.args[3]));
  return call.boolean(call.self->closeStream(*stream, completion, call.args[4], call.args[5]));
}

// enterStream(number): the runs that follow belong to the stream.
napi_value BatchWorker::enterStream(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  const auto stream = call.self->streamOf(call.uint32(0));
  if (stream) call.self->data_.scopedToken = stream->token();
  return nullptr;
}

napi_value BatchWorker::leaveStream(napi_env env, napi_callback_info info) {
  const RawCall<BatchWorker, 1> call(env, info);
  call.self->data_.scopedToken.reset();
  return nullptr;
}

}  // namespace cloudeasyml::bindings
