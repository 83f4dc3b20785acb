// Who serves which requests.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "generated/constants.h"
#include "serving/cacheLine.h"
#include "serving/deployment.h"

namespace cloudeasyml::serving {

/// A caller's number as a user's.
constexpr uint32_t userOf(uint32_t caller) noexcept { return caller & ~Owner::kAny; }

/// Whether a caller's requests may go to an owner's deployments.
constexpr bool mayUse(uint32_t caller, uint32_t owner) noexcept {
  return (caller & Owner::kAny) != 0 || caller == owner;
}

/// A revision's share of an endpoint's requests.
struct Share {
  std::shared_ptr<Deployment> deployment;
  /// At least 1, relative to the sum of all weights.
  uint32_t weight = 1;
};

/// Endpoints, which requests name, and the deployments that serve them. An endpoint's revisions
/// change in one step: each request goes wholly to one that served at that moment.
///
/// Look-ups take a shared lock and changes an exclusive one, so look-ups do not block each other.
class Directory {
 public:
  Directory() : endpoints_(kFewestPlaces) {}

  // Changes.

  /// Adds a deployment that no endpoint leads to yet.
  std::shared_ptr<Deployment> add(uint32_t owner, BatchLimits limits,
                                  std::shared_ptr<const Backend> backend);
  /// Sends an endpoint's requests to these deployments from now on. Makes the endpoint if needed.
  /// @returns the endpoint's number, which stays the same
  uint32_t route(const std::string& id, std::vector<Share> shares);
  /// Removes an endpoint.
  void unroute(const std::string& id);
  /// Removes a deployment from all endpoints. It gets no requests after that.
  /// @returns the requests that waited
  std::vector<Request*> remove(Deployment& deployment);

  // Look-ups.

  /// Null where there is none, or it was removed.
  std::shared_ptr<Deployment> find(uint32_t handle) const;
  std::vector<std::shared_ptr<Deployment>> all() const;

  /// Calls visit(deployment) with the deployment for the endpoint's next request. The deployment
  /// can't be removed meanwhile. @returns false where there is none
  template <typename Key, typename Visit>
  bool visit(const Key& endpoint, Visit visit) const {
    std::shared_lock lock(mutex_);
    const Endpoint* found = endpointOf(endpoint);
    if (!found || found->shares.empty()) return false;
    visit(found->next());
    return true;
  }

  /// Takes a claimed request out of its queue's count, if it still waits.
  void forget(Request& request) const;

 private:
  static constexpr size_t kFewestPlaces = 16;

  struct Endpoint {
    std::string id;
    uint32_t number = 0;
    std::vector<Share> shares;
    uint32_t weights = 0;
    mutable std::atomic<uint32_t> requests{0};

    const std::shared_ptr<Deployment>& next() const noexcept;
  };

  // With a lock held. Null where there is none.
  const Endpoint* endpointOf(std::string_view id) const;
  const Endpoint* endpointOf(uint32_t number) const;

  // With the exclusive lock held.
  Endpoint& addEndpoint(const std::string& id);
  std::unique_ptr<Endpoint>& placeOf(uint32_t number);

  alignas(kCacheLine) mutable std::shared_mutex mutex_;
  // These change only under the exclusive lock.
  /// Each at its number modulo the size, a power of two. A number is not used again, so a request
  /// never reaches another endpoint than the one it named.
  alignas(kCacheLine) std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::unordered_map<std::string_view, Endpoint*> byId_;
  std::unordered_map<uint32_t, std::shared_ptr<Deployment>> deployments_;
  uint32_t nextNumber_ = 0;
  uint32_t nextHandle_ = 0;
};

}  // namespace cloudeasyml::serving
