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

}  // namespace

std::vector<std::string> availableProviders() {
  std::vector<std::string> names;
  for (const auto& fullName : Ort::GetAvailableProviders()) {
    names.push_back(lowerCase(withoutSuffix(fullName)));
  }
  return names;
}

void appendProvider(Ort::SessionOptions& options, const ProviderRequest& provider) {
  if (provider.name == "cpu") return;
  const auto fullNames = Ort::GetAvailableProviders();
  const auto found = std::find_if(fullNames.begin(), fullNames.end(), [&](const auto& fullName) {
    return lowerCase(withoutSuffix(fullName)) == provider.name;
  });
  if (found == fullNames.end()) {
    throw Error(ErrorCode::kProviderUnavailable,
                "The ONNX Runtime library has no execution provider \"" + provider.name + "\".");
  }
  const OrtApi& api = Ort::GetApi();
  try {
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
          api.SessionOptionsAppendExecutionProvider(options, found->c_str(), columns.keys.data(),
                                                    columns.values.data(), columns.keys.size()));
    }
  } catch (const Ort::Exception& failure) {
    throw Error(ErrorCode::kProviderUnavailable, "The execution provider \"" + provider.name +
                                                     "\" cannot be used: " + failure.what());
  }
}

}  // namespace cloudeasyml::runtime
