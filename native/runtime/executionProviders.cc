#include "runtime/executionProviders.h"

#include <algorithm>
#include <cctype>
#include <memory>

#include "runtime/error.h"

namespace cloudeasyml::runtime {

namespace {

constexpr char kSuffix[] = "ExecutionProvider";

std::string lowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// "CUDAExecutionProvider" → "CUDA"
std::string withoutSuffix(const std::string& fullName) {
  const size_t at = fullName.rfind(kSuffix);
  return at == std::string::npos ? fullName : fullName.substr(0, at);
}

struct Columns {
  std::vector<const char*> keys;
  std::vector<const char*> values;
};

Columns columnsOf(const KeyValues& options) {
  Columns columns;
  for (const auto& [key, value] : options) {
    columns.keys.push_back(key.c_str());
    columns.values.push_back(value.c_str());
  }
  return columns;
}

/// CUDA and TensorRT have option calls of their own, which take every key that the library knows.
template <typename Options, typename Create, typename Update, typename Release, typename Append>
void appendV2(Ort::SessionOptions& session, const KeyValues& given, Create create, Update update,
              Release release, Append append) {
  Options* raw = nullptr;
  Ort::ThrowOnError(create(&raw));
  const std::unique_ptr<Options, Release> options(raw, release);
  const Columns columns = columnsOf(given);
  Ort::ThrowOnError(update(raw, columns.keys.data(), columns.values.data(), columns.keys.size()));
  Ort::ThrowOnError(append(session, raw));
}

/// The full name of a provider that is built in.
std::string builtInName(const std::string& name) {
  for (auto& fullName : Ort::GetAvailableProviders()) {
    if (lowerCase(withoutSuffix(fullName)) == name) return std::move(fullName);
  }
  throw Error(ErrorCode::kProviderUnavailable,
              "The ONNX Runtime library has no execution provider \"" + name + "\".");
}

void appendBuiltIn(Ort::SessionOptions& options, const ProviderRequest& provider) {
  const OrtApi& api = Ort::GetApi();
  const std::string fullName = builtInName(provider.name);
  if (provider.name == "cuda") {
    appendV2<OrtCUDAProviderOptionsV2>(
        options, provider.options, api.CreateCUDAProviderOptions, api.UpdateCUDAProviderOptions,
        api.ReleaseCUDAProviderOptions, api.SessionOptionsAppendExecutionProvider_CUDA_V2);
  } else if (provider.name == "tensorrt") {
    appendV2<OrtTensorRTProviderOptionsV2>(
        options, provider.options, api.CreateTensorRTProviderOptions,
        api.UpdateTensorRTProviderOptions, api.ReleaseTensorRTProviderOptions,
        api.SessionOptionsAppendExecutionProvider_TensorRT_V2);
  } else {
    const Columns columns = columnsOf(provider.options);
    Ort::ThrowOnError(
        api.SessionOptionsAppendExecutionProvider(options, fullName.c_str(), columns.keys.data(),
                                                  columns.values.data(), columns.keys.size()));
  }
}

}  // namespace

std::vector<std::string> availableProviders(const ProviderLibraries& libraries) {
  auto names = libraries.names();
  for (const auto& fullName : Ort::GetAvailableProviders()) {
    auto name = lowerCase(withoutSuffix(fullName));
    if (!libraries.has(name)) names.push_back(std::move(name));
  }
  return names;
}

void appendProvider(Ort::Env& env, const ProviderLibraries& libraries, Ort::SessionOptions& options,
                    const ProviderRequest& provider) {
  if (provider.name == "cpu") return;
  try {
    if (libraries.has(provider.name)) {
      libraries.append(env, options, provider);
    } else {
      appendBuiltIn(options, provider);
    }
  } catch (const Ort::Exception& failure) {
    throw Error(ErrorCode::kProviderUnavailable, "The execution provider \"" + provider.name +
                                                     "\" cannot be used: " + failure.what());
  }
}

}  // namespace cloudeasyml::runtime
