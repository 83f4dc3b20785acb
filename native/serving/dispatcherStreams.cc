// Streams: each stays on one worker until its end.
#include "serving/dispatcher.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

Admission Dispatcher::openStream(const std::shared_ptr<Stream>& stream, Request* opening,
                                 std::string_view endpoint, uint32_t owner) {
  return openStreamAt(stream, opening, endpoint, owner);
}

Admission Dispatcher::openStream(const std::shared_ptr<Stream>& stream, Request* opening,
                                 uint32_t endpoint, uint32_t owner) {
  return openStreamAt(stream, opening, endpoint, owner);
}

template <typename Endpoint>
Admission Dispatcher::openStreamAt(const std::shared_ptr<Stream>& stream, Request* opening,
                                   const Endpoint& endpoint, uint32_t owner) {
  std::shared_ptr<Deployment> deployment;
  directory_.visit(endpoint, [&](const auto& found) { deployment = found; });
  if (!deployment || !mayUse(owner, deployment->owner)) {
    return Admission::kNoDeployment;
  }
  const Admission admission = place(stream, deployment);
  if (admission != Admission::kQueued) return admission;
  stream->start(opening->envelope.timeoutMs * kMillisecond);
  stream->push(opening);
  stream->inbox->post({stream, stream->number, deployment->handle,
                       Notice::kOpened | (stream->hasBinaryAnswers() ? Notice::kBinary : 0U)});
  return admission;
}

// Chooses the worker with the fewest streams.
Admission Dispatcher::place(const std::shared_ptr<Stream>& stream,
                            const std::shared_ptr<Deployment>& deployment) {
  std::lock_guard lock(mutex_);
  if (!deployment->accepting) return Admission::kNotAccepting;
  if (deployment->limits.maxStreams == 0) return Admission::kNoStreams;
  if (deployment->streams >= deployment->limits.maxStreams) return Admission::kStreamsFull;
  Worker* best = nullptr;
  for (const auto& worker : workers_) {
    if (worker->hosted.count(deployment->handle) == 0) continue;
    if (!best || worker->streamCount < best->streamCount) best = worker.get();
  }
  // All workers are being replaced.
  if (!best) return Admission::kNotAccepting;
  stream->deployment = deployment;
  stream->inbox = best->inbox;
  stream->makeToken = best->makeToken;
  ++deployment->streams;
  ++best->streamCount;
  std::lock_guard workerLock(best->mutex);
  stream->number = best->nextStream++;
  best->streams.emplace(stream->number, stream);
  return Admission::kQueued;
}

std::shared_ptr<Stream> Dispatcher::streamOf(const Worker& worker, uint32_t number) const {
  std::lock_guard lock(worker.mutex);
  const auto entry = worker.streams.find(number);
  return entry == worker.streams.end() ? nullptr : entry->second;
}

void Dispatcher::closeStream(Worker& worker, uint32_t number) {
  std::shared_ptr<Stream> closed;
  {
    std::lock_guard lock(worker.mutex);
    const auto entry = worker.streams.find(number);
    if (entry == worker.streams.end()) return;
    closed = std::move(entry->second);
    worker.streams.erase(entry);
  }
  --worker.streamCount;
  --closed->deployment->streams;
}

}  // namespace cloudeasyml::serving
