#include "runtime/runtime.h"

#include <system_error>
#include <utility>

#include "runtime/error.h"
#include "runtime/executionProviders.h"
#include "runtime/freedMemory.h"
#include "runtime/library.h"
#include "runtime/modelState.h"
#include "runtime/sessionLoader.h"
#include "runtime/threadReserve.h"

namespace cloudeasyml::runtime {

namespace {

/// What a smaller model leaves behind is not worth the time.
constexpr uint64_t kLeastBytesToRelease = uint64_t{1} << 20;

std::string identityOf(const ModelState& state, const SessionRequest& request) {
  return state.text() + "|" + request.optionsKey;
}

}  // namespace

bool RuntimeSettings::operator==(const RuntimeSettings& other) const noexcept {
  return library == other.library && intraOpThreads == other.intraOpThreads &&
         interOpThreads == other.interOpThreads && spinning == other.spinning &&
         providerLibraries == other.providerLibraries;
}

void Runtime::start(const RuntimeSettings& settings) {
  std::lock_guard lock(mutex_);
  if (env_) {
    if (settings == settings_) return;
    throw Error(ErrorCode::kConflict,
                "ONNX Runtime has been started with other settings, which hold for the process. "
                "Configure it before the first session is created.");
  }
  startLocked(settings);
}

void Runtime::ensureStarted(const RuntimeSettings& settings) {
  std::lock_guard lock(mutex_);
  if (!env_) startLocked(settings);
}

void Runtime::startLocked(const RuntimeSettings& settings) {
  const Library library = loadLibrary(settings.library);
  Ort::InitApi(library.api);
  try {
    Ort::ThreadingOptions threading;
    threading.SetGlobalIntraOpNumThreads(settings.intraOpThreads);
    threading.SetGlobalInterOpNumThreads(settings.interOpThreads);
    threading.SetGlobalSpinControl(settings.spinning ? 1 : 0);
    ThreadReserve threads(startedFor(settings.intraOpThreads) +
                          startedFor(settings.interOpThreads));
    // Of threads that it starts itself it ties each to a core, where it chooses their number.
    if (settings.intraOpThreads > 0 && settings.interOpThreads > 0) threads.supply(threading);
    // What fails is thrown; ORT's own log would say it a second time, on the standard error.
    env_ = std::make_shared<Ort::Env>(threading, ORT_LOGGING_LEVEL_FATAL, "cloudeasyml");
    env_->DisableTelemetryEvents();
    providerLibraries_.load(*env_, settings.providerLibraries);
  } catch (const std::system_error& failure) {
    throw Error(ErrorCode::kLibraryUnavailable,
                std::string("ONNX Runtime did not start: the system does not allow its threads (") +
                    failure.what() + ").");
  } catch (const Ort::Exception& failure) {
    env_.reset();
    throw Error(ErrorCode::kLibraryUnavailable,
                std::string("ONNX Runtime did not start: ") + failure.what());
  } catch (...) {
    env_.reset();
    providerLibraries_ = {};
    throw;
  }
  settings_ = settings;
  version_ = library.version;
}

bool Runtime::started() const {
  std::lock_guard lock(mutex_);
  return env_ != nullptr;
}

std::string Runtime::library() const {
  std::lock_guard lock(mutex_);
  return settings_.library;
}

std::string Runtime::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

std::vector<std::string> Runtime::availableProviders() const {
  environment();
  return runtime::availableProviders(providerLibraries_);
}

std::shared_ptr<Ort::Env> Runtime::environment() const {
  std::lock_guard lock(mutex_);
  if (!env_) throw Error(ErrorCode::kInternal, "ONNX Runtime has not been started.");
  return env_;
}

std::shared_ptr<Session> Runtime::load(const SessionRequest& request) {
  // The environment's thread pools must be there until the session is gone.
  const auto env = environment();
  const auto device = deviceLocks_.of(*env, request.providers, providerLibraries_);
  const auto lock = lockIfAny(device);
  return {loadSession(*env, providerLibraries_, request, device).release(),
          [env, device](Session* closing) {
            const auto closingLock = lockIfAny(device);
            delete closing;
          }};
}

std::shared_ptr<Session> Runtime::openSession(const SessionRequest& request) {
  const ModelState state = modelState(request);
  const std::string identity = identityOf(state, request);

  std::unique_lock lock(sessionsMutex_);
  for (;;) {
    Slot& slot = slots_[identity];
    if (auto session = slot.session.lock()) return session;
    if (!slot.loading) {
      slot.loading = true;
      break;
    }
    loaded_.wait(lock);
  }
  lock.unlock();

  std::shared_ptr<Session> session;
  const auto finish = [&](bool keep) {
    lock.lock();
    if (keep) {
      slots_[identity] = Slot{session, false};
    } else {
      slots_.erase(identity);
    }
    for (auto slot = slots_.begin(); slot != slots_.end();) {
      const bool gone = !slot->second.loading && slot->second.session.expired();
      slot = gone ? slots_.erase(slot) : std::next(slot);
    }
    lock.unlock();
    loaded_.notify_all();
  };
  try {
    session = load(request);
    // A file that changed while it was read is not the one that the identity names.
    finish(modelState(request).text() == state.text());
  } catch (...) {
    finish(false);
    throw;
  }
  // Callers that wait for the session, perhaps the event loop, need not wait for this.
  if (state.bytes >= kLeastBytesToRelease) releaseFreedMemoryLater();
  return session;
}

void Runtime::releaseFreedMemoryLater() noexcept {
  try {
    pool.submit(releaseFreedMemory);
  } catch (...) {
    // Where no thread can be started, the C library keeps the memory.
  }
}

size_t Runtime::openSessions() const {
  std::lock_guard lock(sessionsMutex_);
  size_t open = 0;
  for (const auto& [identity, slot] : slots_) open += slot.session.expired() ? 0 : 1;
  return open;
}

}  // namespace cloudeasyml::runtime
