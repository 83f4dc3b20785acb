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

#include "serving/cacheLine.h"
#include "serving/deployment.h"

namespace cloudeasyml::serving {

/// An owner that no deployment has: its requests go to any.
constexpr uint32_t kAnyOwner = 0xFFFFFFFF;

/// A revision's part of an endpoint's requests.
struct Share {
  std::shared_ptr<Deployment> deployment;
  /// At least 1; its part is that of all weights together.
  uint32_t weight = 1;
};

/// Endpoints, which requests name, and the deployments that serve them. An endpoint's revisions
/// change in one step: each request goes wholly to one that served at that moment.
///
/// Requests look things up under a shared lock, which only changes hold against them.
class Directory {
 public:
  // Changes.

  /// Makes a deployment that no endpoint leads to.
  std::shared_ptr<Deployment> add(uint32_t owner, BatchLimits limits,
                                  std::shared_ptr<const Backend> backend);
  /// Has an endpoint's requests go to these deployments from now on; makes it where there is none.
  /// @returns the endpoint's number, which stays the same
  uint32_t route(const std::string& id, std::vector<Share> shares);
  /// Forgets an endpoint.
  void unroute(const std::string& id);
  /// Forgets a deployment, wherever it served. Nobody hands anything in any more afterwards.
  /// @returns the requests that waited
  std::vector<Request*> remove(Deployment& deployment);

  // Look-ups.

  /// Null where there is none, or no longer one.
  std::shared_ptr<Deployment> find(uint32_t handle) const;
  std::vector<std::shared_ptr<Deployment>> all() const;

  /// Calls visit(deployment) with the one that shall have the next request for an endpoint; the
  /// deployment can't be removed meanwhile. @returns false where there is none
  template <typename Key, typename Visit>
  bool visit(const Key& endpoint, Visit visit) const {
    std::shared_lock lock(mutex_);
    const Endpoint* found = endpointOf(endpoint);
    if (!found || found->shares.empty()) return false;
    visit(found->next());
    return true;
  }

  /// Forgets a request that its caller has claimed, if it waits anywhere.
  void forget(Request& request) const;

 private:
  struct Endpoint {
    std::string id;
    std::vector<Share> shares;
    uint32_t weights = 0;
    mutable std::atomic<uint32_t> requests{0};

    const std::shared_ptr<Deployment>& next() const noexcept;
  };

  // With a lock held. Null where there is none.
  const Endpoint* endpointOf(std::string_view id) const;
  const Endpoint* endpointOf(uint32_t number) const;

  alignas(kCacheLine) mutable std::shared_mutex mutex_;
  // These change only under the exclusive lock.
  alignas(kCacheLine) std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::unordered_map<std::string_view, uint32_t> byId_;
  std::unordered_map<uint32_t, std::shared_ptr<Deployment>> deployments_;
  uint32_t nextHandle_ = 0;
};

}  // namespace cloudeasyml::serving
