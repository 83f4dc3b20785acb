#include "runtime/runtime.h"

#include <sys/stat.h>

#include <utility>

#include "runtime/error.h"
#include "runtime/executionProviders.h"
#include "runtime/library.h"
#include "runtime/sessionLoader.h"

namespace cloudeasyml::runtime {

namespace {

/// Tells one state of a file from any other, so that a model that was replaced is loaded anew.
std::string fileIdentity(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    throw Error(ErrorCode::kModelLoadFailed,
                "The model \"" + path + "\" is not a file that can be read.");
  }
#ifdef __APPLE__
  const timespec modified = info.st_mtimespec, changed = info.st_ctimespec;
#else
  const timespec modified = info.st_mtim, changed = info.st_ctim;
#endif
  std::string identity = "file";
  for (const long long part :
       {static_cast<long long>(info.st_dev), static_cast<long long>(info.st_ino),
        static_cast<long long>(info.st_size), static_cast<long long>(modified.tv_sec),
        static_cast<long long>(modified.tv_nsec), static_cast<long long>(changed.tv_sec),
        static_cast<long long>(changed.tv_nsec)}) {
    identity += ":" + std::to_string(part);
  }
  return identity;
}

std::string identityOf(const SessionRequest& request) {
  return (request.path.empty() ? "bytes:" + request.contentHash : fileIdentity(request.path)) +
         "|" + request.optionsKey;
}

}  // namespace

bool RuntimeSettings::operator==(const RuntimeSettings& other) const noexcept {
  return library == other.library && intraOpThreads == other.intraOpThreads &&
         interOpThreads == other.interOpThreads && spinning == other.spinning;
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
    // What fails is thrown; ORT's own log would say it a second time, on the standard error.
    env_ = std::make_shared<Ort::Env>(threading, ORT_LOGGING_LEVEL_FATAL, "cloudeasyml");
    env_->DisableTelemetryEvents();
  } catch (const Ort::Exception& failure) {
    env_.reset();
    throw Error(ErrorCode::kLibraryUnavailable,
                std::string("ONNX Runtime did not start: ") + failure.what());
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
  return runtime::availableProviders();
}

std::shared_ptr<Ort::Env> Runtime::environment() const {
  std::lock_guard lock(mutex_);
  if (!env_) throw Error(ErrorCode::kInternal, "ONNX Runtime has not been started.");
  return env_;
}

std::shared_ptr<Session> Runtime::openSession(const SessionRequest& request) {
  const auto env = environment();
  const std::string identity = identityOf(request);

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
    // The environment's thread pools must be there until the session is gone.
    session = std::shared_ptr<Session>(loadSession(*env, request).release(),
                                       [env](Session* closing) { delete closing; });
    // A file that changed while it was read is not the one that the identity names.
    finish(identityOf(request) == identity);
  } catch (...) {
    finish(false);
    throw;
  }
  return session;
}

size_t Runtime::openSessions() const {
  std::lock_guard lock(sessionsMutex_);
  size_t open = 0;
  for (const auto& [identity, slot] : slots_) open += slot.session.expired() ? 0 : 1;
  return open;
}

}  // namespace cloudeasyml::runtime
