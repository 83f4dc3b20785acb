#include "runtime/sessionLoader.h"

#include <onnxruntime_session_options_config_keys.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "runtime/error.h"
#include "runtime/executionProviders.h"

namespace cloudeasyml::runtime {

namespace {

Ort::SessionOptions optionsWithoutProviders(const SessionRequest& request) {
  Ort::SessionOptions options;
  options.SetGraphOptimizationLevel(request.optimization);
  if (request.intraOpThreads == 0 && request.interOpThreads == 0) {
    options.DisablePerSessionThreads();
  } else {
    options.SetIntraOpNumThreads(request.intraOpThreads == 0 ? 1 : request.intraOpThreads);
    if (request.interOpThreads > 0) {
      options.SetInterOpNumThreads(request.interOpThreads);
      options.SetExecutionMode(ORT_PARALLEL);
    }
    // A spinning pool takes the core that the event loop needs; a config entry may still ask for
    // it.
    options.AddConfigEntry(kOrtSessionOptionsConfigAllowIntraOpSpinning, "0");
    options.AddConfigEntry(kOrtSessionOptionsConfigAllowInterOpSpinning, "0");
  }
  if (!request.memoryPattern) options.DisableMemPattern();
  if (!request.cpuArena) options.DisableCpuMemArena();
  for (const auto& [key, value] : request.configEntries) {
    options.AddConfigEntry(key.c_str(), value.c_str());
  }
  return options;
}

std::vector<std::string> providerNames(const SessionRequest& request) {
  std::vector<std::string> names;
  for (const auto& provider : request.providers) names.push_back(provider.name);
  if (names.empty() || names.back() != "cpu") names.emplace_back("cpu");
  return names;
}

/// A name that no other thread or process writes to at the same time.
std::string temporaryBeside(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + "." + std::to_string(getpid()) + "." + std::to_string(counter++) + ".tmp";
}

/// Opens models of one request.
class Loader {
 public:
  Loader(Ort::Env& env, const ProviderLibraries& libraries, const SessionRequest& request,
         std::shared_ptr<std::mutex> deviceLock)
      : env_(env), libraries_(libraries), request_(request), deviceLock_(std::move(deviceLock)) {}

  std::unique_ptr<Session> load() {
    if (request_.optimizedModelPath.empty()) return open(request_, optionsFor(request_));
    if (auto session = openOptimized()) return session;
    return openAndKeepOptimized();
  }

 private:
  Ort::SessionOptions optionsFor(const SessionRequest& request) {
    auto options = optionsWithoutProviders(request);
    for (const auto& provider : request.providers) {
      appendProvider(env_, libraries_, options, provider);
    }
    return options;
  }

  std::unique_ptr<Session> open(const SessionRequest& request, const Ort::SessionOptions& options) {
    Ort::Session session = request.path.empty()
                               ? Ort::Session(env_, request.bytes, request.byteLength, options)
                               : Ort::Session(env_, request.path.c_str(), options);
    return std::make_unique<Session>(std::move(session), providerNames(request), deviceLock_);
  }

  /// Opens the optimised model that an earlier start left; null where there is none that opens.
  std::unique_ptr<Session> openOptimized() {
    if (access(request_.optimizedModelPath.c_str(), R_OK) != 0) return nullptr;
    SessionRequest optimized = request_;
    optimized.path = request_.optimizedModelPath;
    // Its graph has been through every optimisation already.
    optimized.optimization = ORT_DISABLE_ALL;
    try {
      return open(optimized, optionsFor(optimized));
    } catch (const Ort::Exception&) {
      std::remove(request_.optimizedModelPath.c_str());
      return nullptr;
    }
  }

  std::unique_ptr<Session> openAndKeepOptimized() {
    auto options = optionsFor(request_);
    const std::string temporary = temporaryBeside(request_.optimizedModelPath);
    options.SetOptimizedModelFilePath(temporary.c_str());
    try {
      auto session = open(request_, options);
      if (std::rename(temporary.c_str(), request_.optimizedModelPath.c_str()) != 0) {
        std::remove(temporary.c_str());
      }
      return session;
    } catch (...) {
      std::remove(temporary.c_str());
      throw;
    }
  }

  Ort::Env& env_;
  const ProviderLibraries& libraries_;
  const SessionRequest& request_;
  std::shared_ptr<std::mutex> deviceLock_;
};

}  // namespace

std::unique_ptr<Session> loadSession(Ort::Env& env, const ProviderLibraries& libraries,
                                     const SessionRequest& request,
                                     std::shared_ptr<std::mutex> deviceLock) {
  try {
    return Loader(env, libraries, request, std::move(deviceLock)).load();
  } catch (const Ort::Exception& failure) {
    const std::string model =
        request.path.empty() ? "The model" : "The model \"" + request.path + "\"";
    throw Error("model_load_failed", model + " did not load: " + failure.what());
  }
}

}  // namespace cloudeasyml::runtime
