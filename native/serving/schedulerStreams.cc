// Where streams go: each to one worker, until its end.
#include <algorithm>

#include "serving/scheduler.h"
#include "serving/time.h"

namespace cloudeasyml::serving {

Admission Scheduler::openStream(const std::shared_ptr<Stream>& stream, Request* opening,
                                std::string_view id, uint32_t owner) {
  Admission admission;
  {
    std::lock_guard lock(mutex_);
    const auto entry = byId_.find(id);
    if (entry == byId_.end()) return Admission::kNoDeployment;
    admission = place(stream, deployments_.at(entry->second->handle), owner);
  }
  return begin(stream, opening, admission);
}

Admission Scheduler::openStream(const std::shared_ptr<Stream>& stream, Request* opening,
                                uint32_t handle, uint32_t owner) {
  Admission admission;
  {
    std::lock_guard lock(mutex_);
    const auto entry = deployments_.find(handle);
    if (entry == deployments_.end()) return Admission::kNoDeployment;
    admission = place(stream, entry->second, owner);
  }
  return begin(stream, opening, admission);
}

// On the worker that has the fewest streams.
Admission Scheduler::place(const std::shared_ptr<Stream>& stream,
                           const std::shared_ptr<Deployment>& deployment, uint32_t owner) {
  if (owner != Owner::kAny && owner != deployment->owner) return Admission::kNoDeployment;
  {
    std::shared_lock directory(directory_);
    if (!deployment->accepting) return Admission::kNotAccepting;
  }
  if (deployment->limits.maxStreams == 0) return Admission::kNoStreams;
  if (deployment->streams >= deployment->limits.maxStreams) return Admission::kStreamsFull;
  Worker* best = nullptr;
  for (const auto& worker : workers_) {
    if (worker->retired || worker->hosted.count(deployment->handle) == 0) continue;
    if (!best || worker->streams.size() < best->streams.size()) best = worker.get();
  }
  // They are being replaced.
  if (!best) return Admission::kNotAccepting;
  stream->deployment = deployment;
  stream->inbox = best->inbox;
  stream->makeToken = best->makeToken;
  stream->number = best->nextStream++;
  best->streams.emplace(stream->number, stream);
  ++deployment->streams;
  return Admission::kQueued;
}

// Without the lock: telling a worker wakes it.
Admission Scheduler::begin(const std::shared_ptr<Stream>& stream, Request* opening,
                           Admission admission) {
  if (admission != Admission::kQueued) return admission;
  stream->start();
  stream->push(opening);
  stream->inbox->post(stream, Notice::kOpened | (stream->binary ? Notice::kBinary : 0U));
  return admission;
}

std::shared_ptr<Stream> Scheduler::streamOf(Worker& worker, uint32_t number) const {
  std::lock_guard lock(mutex_);
  const auto entry = worker.streams.find(number);
  return entry == worker.streams.end() ? nullptr : entry->second;
}

void Scheduler::closeStream(Worker& worker, uint32_t number) {
  std::shared_ptr<Stream> closed;
  std::lock_guard lock(mutex_);
  const auto entry = worker.streams.find(number);
  if (entry == worker.streams.end()) return;
  closed = std::move(entry->second);
  worker.streams.erase(entry);
  --closed->deployment->streams;
}

std::vector<std::shared_ptr<Stream>> Scheduler::streamsOf(const Deployment& deployment) const {
  std::vector<std::shared_ptr<Stream>> found;
  for (const auto& worker : workers_) {
    for (const auto& [number, stream] : worker->streams) {
      if (stream->deployment.get() == &deployment) found.push_back(stream);
    }
  }
  return found;
}

}  // namespace cloudeasyml::serving
