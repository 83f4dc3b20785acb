#include "serving/directory.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace cloudeasyml::serving {

namespace {

/// JavaScript passes numbers as int32.
constexpr uint32_t kHighestNumber = 0x7fffffff;

/// Spreads consecutive numbers evenly over a range (D. E. Knuth's multiplicative hashing).
uint32_t spread(uint32_t number, uint32_t range) noexcept {
  return static_cast<uint32_t>((uint64_t{number * 2654435769u} * range) >> 32);
}

}  // namespace

const std::shared_ptr<Deployment>& Directory::Endpoint::next() const noexcept {
  if (shares.size() == 1) return shares.front().deployment;
  uint32_t at = spread(requests.fetch_add(1, std::memory_order_relaxed), weights);
  for (const auto& share : shares) {
    if (at < share.weight) return share.deployment;
    at -= share.weight;
  }
  return shares.back().deployment;
}

std::shared_ptr<Deployment> Directory::add(uint32_t owner, BatchLimits limits,
                                           std::shared_ptr<const Backend> backend) {
  std::lock_guard lock(mutex_);
  auto deployment = std::make_shared<Deployment>(nextHandle_++, owner, limits, std::move(backend));
  deployments_.emplace(deployment->handle, deployment);
  return deployment;
}

uint32_t Directory::route(const std::string& id, std::vector<Share> shares) {
  uint32_t weights = 0;
  for (const auto& share : shares) weights += share.weight;
  std::lock_guard lock(mutex_);
  const auto known = byId_.find(id);
  auto& endpoint = known == byId_.end() ? addEndpoint(id) : *known->second;
  // The old shares are destroyed after the lock is released.
  endpoint.shares.swap(shares);
  endpoint.weights = weights;
  return endpoint.number;
}

Directory::Endpoint& Directory::addEndpoint(const std::string& id) {
  if (2 * byId_.size() >= endpoints_.size()) {
    std::vector<std::unique_ptr<Endpoint>> before(2 * endpoints_.size());
    before.swap(endpoints_);
    for (auto& endpoint : before) {
      if (endpoint) placeOf(endpoint->number) = std::move(endpoint);
    }
  }
  while (placeOf(nextNumber_)) nextNumber_ = (nextNumber_ + 1) & kHighestNumber;
  auto& place = placeOf(nextNumber_);
  place = std::make_unique<Endpoint>();
  place->id = id;
  place->number = nextNumber_;
  nextNumber_ = (nextNumber_ + 1) & kHighestNumber;
  byId_.emplace(place->id, place.get());
  return *place;
}

std::unique_ptr<Directory::Endpoint>& Directory::placeOf(uint32_t number) {
  return endpoints_[number & (endpoints_.size() - 1)];
}

void Directory::unroute(const std::string& id) {
  // Destroyed after the lock is released: it may hold the last reference to a session.
  std::unique_ptr<Endpoint> dropped;
  std::lock_guard lock(mutex_);
  const auto known = byId_.find(id);
  if (known == byId_.end()) return;
  dropped = std::move(placeOf(known->second->number));
  // Its key is the endpoint's own.
  byId_.erase(known);
}

std::vector<Request*> Directory::remove(Deployment& deployment) {
  std::shared_ptr<Deployment> held;
  std::lock_guard lock(mutex_);
  for (auto& endpoint : endpoints_) {
    if (!endpoint) continue;
    auto& shares = endpoint->shares;
    shares.erase(
        std::remove_if(shares.begin(), shares.end(),
                       [&](const Share& share) { return share.deployment.get() == &deployment; }),
        shares.end());
    endpoint->weights = 0;
    for (const auto& share : shares) endpoint->weights += share.weight;
  }
  const auto entry = deployments_.find(deployment.handle);
  if (entry != deployments_.end()) {
    held = std::move(entry->second);
    deployments_.erase(entry);
  }
  deployment.accepting = false;
  return deployment.queue.close();
}

std::shared_ptr<Deployment> Directory::find(uint32_t handle) const {
  std::shared_lock lock(mutex_);
  const auto entry = deployments_.find(handle);
  return entry == deployments_.end() ? nullptr : entry->second;
}

std::vector<std::shared_ptr<Deployment>> Directory::all() const {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Deployment>> found;
  found.reserve(deployments_.size());
  for (const auto& [handle, deployment] : deployments_) found.push_back(deployment);
  return found;
}

void Directory::forget(Request& request) const {
  std::shared_lock lock(mutex_);
  if (request.queued.load(std::memory_order_relaxed)) request.deployment->queue.forget(request);
}

const Directory::Endpoint* Directory::endpointOf(std::string_view id) const {
  const auto known = byId_.find(id);
  return known == byId_.end() ? nullptr : known->second;
}

const Directory::Endpoint* Directory::endpointOf(uint32_t number) const {
  const Endpoint* found = endpoints_[number & (endpoints_.size() - 1)].get();
  return found && found->number == number ? found : nullptr;
}

}  // namespace cloudeasyml::serving
