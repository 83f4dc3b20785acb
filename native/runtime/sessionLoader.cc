#include "runtime/sessionLoader.h"

#include <onnxruntime_session_options_config_keys.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "runtime/error.h"
#include "runtime/executionProviders.h"
#include "runtime/modelState.h"
#include "runtime/optimizedModel.h"
#include "runtime/ortMessage.h"
#include "runtime/threadReserve.h"

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

/// How many threads the session starts, but for those that ONNX Runtime is to tie to cores: that
/// it only does with threads of its own making.
size_t ownThreads(const SessionRequest& request) {
  for (const auto& [key, value] : request.configEntries) {
    if (key == kOrtSessionOptionsConfigIntraOpThreadAffinities) return 0;
  }
  return startedFor(request.intraOpThreads) + startedFor(request.interOpThreads);
}

/// Opens models of one request.
class Loader {
 public:
  Loader(Ort::Env& env, const ProviderLibraries& libraries, const SessionRequest& request,
         std::shared_ptr<std::mutex> deviceLock)
      : env_(env), libraries_(libraries), request_(request), deviceLock_(std::move(deviceLock)) {}

  std::unique_ptr<Session> load() {
    if (request_.optimizedModelPath.empty()) return open(request_, optionsFor(request_));
    const auto state = modelState(request_);
    // A model that was replaced since then has another place.
    if (state.text() != request_.optimizedState) return open(request_, optionsFor(request_));
    if (auto session = openOptimized()) return session;
    return openAndKeepOptimized(state.bytes);
  }

 private:
  Ort::SessionOptions optionsFor(const SessionRequest& request) {
    auto options = optionsWithoutProviders(request);
    for (const auto& provider : request.providers) {
      appendProvider(env_, libraries_, options, provider);
    }
    return options;
  }

  std::unique_ptr<Session> open(const SessionRequest& request, Ort::SessionOptions options) {
    ThreadReserve threads(ownThreads(request));
    if (ownThreads(request) > 0) threads.supply(options);
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
    // Its weights lie beside it.
    auto& entries = optimized.configEntries;
    entries.erase(std::remove_if(entries.begin(), entries.end(),
                                 [](const auto& entry) {
                                   return entry.first ==
                                          kOrtSessionOptionsModelExternalInitializersFileFolderPath;
                                 }),
                  entries.end());
    try {
      return open(optimized, optionsFor(optimized));
    } catch (const Ort::Exception&) {
      removeOptimizedModel(request_.optimizedModelPath);
      return nullptr;
    }
  }

  /// Opens the model and leaves its optimised form for later starts, if that can be written.
  std::unique_ptr<Session> openAndKeepOptimized(uint64_t modelBytes) {
    OptimizedModelWriter writer(request_.optimizedModelPath);
    auto options = optionsFor(request_);
    writer.addTo(options, modelBytes);
    try {
      auto session = open(request_, std::move(options));
      if (modelState(request_).text() == request_.optimizedState) writer.keep();
      return session;
    } catch (const Ort::Exception&) {
      // Where it is the model that fails, this says how.
      return open(request_, optionsFor(request_));
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
  const std::string model =
      request.path.empty() ? "The model" : "The model \"" + request.path + "\"";
  try {
    return Loader(env, libraries, request, std::move(deviceLock)).load();
  } catch (const std::system_error& failure) {
    throw Error(ErrorCode::kModelLoadFailed,
                model + " did not load: the system does not allow " +
                    std::to_string(ownThreads(request)) + " more threads (" + failure.what() +
                    "). Ask for fewer intraOpThreads and interOpThreads, or raise the limit.");
  } catch (const Ort::Exception& failure) {
    throw Error(ErrorCode::kModelLoadFailed,
                model + " did not load: " + withoutSource(failure.what()));
  }
}

}  // namespace cloudeasyml::runtime
