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

Ort::SessionOptions optionsFor(const SessionRequest& request) {
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
  for (const auto& provider : request.providers) appendProvider(options, provider);
  return options;
}

std::vector<std::string> providerNames(const SessionRequest& request) {
  std::vector<std::string> names;
  for (const auto& provider : request.providers) names.push_back(provider.name);
  if (names.empty() || names.back() != "cpu") names.emplace_back("cpu");
  return names;
}

int deviceIdOf(const SessionRequest& request) {
  if (request.providers.empty()) return 0;
  for (const auto& [key, value] : request.providers.front().options) {
    if (key == "device_id") return std::atoi(value.c_str());
  }
  return 0;
}

std::unique_ptr<Session> open(Ort::Env& env, const SessionRequest& request,
                              const Ort::SessionOptions& options) {
  Ort::Session session = request.path.empty()
                             ? Ort::Session(env, request.bytes, request.byteLength, options)
                             : Ort::Session(env, request.path.c_str(), options);
  return std::make_unique<Session>(std::move(session), providerNames(request), deviceIdOf(request));
}

/// A name that no other thread or process writes to at the same time.
std::string temporaryBeside(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + "." + std::to_string(getpid()) + "." + std::to_string(counter++) + ".tmp";
}

/// Opens the optimised model that an earlier start left; null where there is none that opens.
std::unique_ptr<Session> openOptimized(Ort::Env& env, const SessionRequest& request) {
  if (access(request.optimizedModelPath.c_str(), R_OK) != 0) return nullptr;
  SessionRequest optimized = request;
  optimized.path = request.optimizedModelPath;
  // Its graph has been through every optimisation already.
  optimized.optimization = ORT_DISABLE_ALL;
  try {
    return open(env, optimized, optionsFor(optimized));
  } catch (const Ort::Exception&) {
    std::remove(request.optimizedModelPath.c_str());
    return nullptr;
  }
}

std::unique_ptr<Session> openAndKeepOptimized(Ort::Env& env, const SessionRequest& request) {
  if (auto session = openOptimized(env, request)) return session;
  auto options = optionsFor(request);
  const std::string temporary = temporaryBeside(request.optimizedModelPath);
  options.SetOptimizedModelFilePath(temporary.c_str());
  try {
    auto session = open(env, request, options);
    if (std::rename(temporary.c_str(), request.optimizedModelPath.c_str()) != 0) {
      std::remove(temporary.c_str());
    }
    return session;
  } catch (...) {
    std::remove(temporary.c_str());
    throw;
  }
}

}  // namespace

std::unique_ptr<Session> loadSession(Ort::Env& env, const SessionRequest& request) {
  try {
    return request.optimizedModelPath.empty() ? open(env, request, optionsFor(request))
                                              : openAndKeepOptimized(env, request);
  } catch (const Ort::Exception& failure) {
    const std::string model =
        request.path.empty() ? "The model" : "The model \"" + request.path + "\"";
    throw Error(ErrorCode::kModelLoadFailed, model + " did not load: " + failure.what());
  }
}

}  // namespace cloudeasyml::runtime
