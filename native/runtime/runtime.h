// ONNX Runtime as the whole process shares it: the library, its environment, the open sessions.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/cancellation.h"
#include "runtime/deviceLocks.h"
#include "runtime/providerLibraries.h"
#include "runtime/runPool.h"
#include "runtime/session.h"
#include "runtime/sessionRequest.h"

namespace cloudeasyml::runtime {

/// What can be chosen once per process.
struct RuntimeSettings {
  /// Path of the ONNX Runtime library.
  std::string library;
  /// Threads that one run spreads over, the caller's included; 0 takes every core.
  int intraOpThreads = 1;
  /// The same for graphs whose branches run side by side.
  int interOpThreads = 1;
  /// Whether idle pool threads spin, which costs cores and saves wake-ups.
  bool spinning = false;
  /// Execution providers that come in libraries of their own: names and paths.
  KeyValues providerLibraries;

  bool operator==(const RuntimeSettings& other) const noexcept;
};

class Runtime {
 public:
  /// Loads the library and makes the environment. Doing it again with the same settings does
  /// nothing; with others it throws Error(kConflict).
  void start(const RuntimeSettings& settings);
  /// The same, but whatever settings it was started with before are fine.
  void ensureStarted(const RuntimeSettings& settings);
  bool started() const;

  /// Path of the ONNX Runtime library in use. The runtime must have been started, as for all that
  /// follows.
  std::string library() const;
  std::string version() const;
  std::vector<std::string> availableProviders() const;

  /// The session of this model and these options: the one that is open already, or a new one.
  /// Callers that ask for the same at the same time share one load. The last holder's release
  /// closes it.
  ///
  /// Throws Error(kModelLoadFailed | kProviderUnavailable |
  /// kModelNotFound).
  std::shared_ptr<Session> openSession(const SessionRequest& request);

  /// Sessions that are open now.
  size_t openSessions() const;

  RunRegistry runs;
  RunPool pool;

 private:
  struct Slot {
    std::weak_ptr<Session> session;
    bool loading = false;
  };

  void startLocked(const RuntimeSettings& settings);
  std::shared_ptr<Session> load(const SessionRequest& request);
  void releaseFreedMemoryLater() noexcept;
  std::shared_ptr<Ort::Env> environment() const;

  mutable std::mutex mutex_;
  RuntimeSettings settings_;
  std::string version_;
  // Sessions hold it too: one may outlive the engine in a finalizer.
  std::shared_ptr<Ort::Env> env_;
  // Does not change once the environment is there.
  ProviderLibraries providerLibraries_;

  mutable std::mutex sessionsMutex_;
  std::condition_variable loaded_;
  std::unordered_map<std::string, Slot> slots_;
  DeviceLocks deviceLocks_;
};

}  // namespace cloudeasyml::runtime
