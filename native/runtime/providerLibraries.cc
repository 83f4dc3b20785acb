#include "runtime/providerLibraries.h"

#include <onnxruntime_ep_device_ep_metadata_keys.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/error.h"

namespace cloudeasyml::runtime {

namespace {

const char* kindOf(const Ort::ConstEpDevice& device) {
  switch (device.Device().Type()) {
    case OrtHardwareDeviceType_CPU:
      return "cpu";
    case OrtHardwareDeviceType_GPU:
      return "gpu";
    case OrtHardwareDeviceType_NPU:
      return "npu";
  }
  return "other";
}

/// Which of a provider's devices is wanted.
struct DeviceChoice {
  std::string kind;
  size_t index = 0;
};

/// Takes the choice of a device out of a provider's options.
DeviceChoice takeChoice(KeyValues& options) {
  DeviceChoice choice;
  const auto taken = [&](const auto& option) {
    if (option.first == "deviceType") {
      choice.kind = option.second;
    } else if (option.first == "device_id") {
      choice.index = static_cast<size_t>(std::max(0, std::atoi(option.second.c_str())));
    } else {
      return false;
    }
    return true;
  };
  options.erase(std::remove_if(options.begin(), options.end(), taken), options.end());
  return choice;
}

std::string listOf(const std::vector<Ort::ConstEpDevice>& devices) {
  std::string list;
  for (const auto& device : devices) {
    if (!list.empty()) list += ", ";
    list += kindOf(device);
  }
  return list;
}

}  // namespace

void ProviderLibraries::load(Ort::Env& env, const KeyValues& paths) {
  for (const auto& [name, path] : paths) {
    const std::string library =
        "The library \"" + path + "\" of the execution provider \"" + name + "\" ";
    if (access(path.c_str(), R_OK) != 0) {
      throw Error(ErrorCode::kLibraryUnavailable, library + "is not a file that can be read.");
    }
    try {
      env.RegisterExecutionProviderLibrary(name.c_str(), path);
    } catch (const Ort::Exception& failure) {
      throw Error(ErrorCode::kLibraryUnavailable,
                  library + "could not be loaded as an execution provider: " + failure.what());
    }
    paths_[name] = path;
  }
}

std::vector<std::string> ProviderLibraries::names() const {
  std::vector<std::string> names;
  for (const auto& [name, path] : paths_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Ort::ConstEpDevice> ProviderLibraries::devicesOf(const Ort::Env& env,
                                                             const std::string& name) const {
  std::vector<Ort::ConstEpDevice> devices;
  for (const auto& device : env.GetEpDevices()) {
    const char* path = device.EpMetadata().GetValue(kOrtEpDevice_EpMetadataKey_LibraryPath);
    if (path && path == paths_.at(name)) devices.push_back(device);
  }
  return devices;
}

bool ProviderLibraries::hasDeviceMemory(const Ort::Env& env, const std::string& name) const {
  const auto devices = devicesOf(env, name);
  return std::any_of(devices.begin(), devices.end(), [](const auto& device) {
    const OrtMemoryInfo* memory = device.GetMemoryInfo(OrtDeviceMemoryType_DEFAULT);
    return memory && Ort::ConstMemoryInfo(memory).GetDeviceType() != OrtMemoryInfoDeviceType_CPU;
  });
}

void ProviderLibraries::append(Ort::Env& env, Ort::SessionOptions& options,
                               const ProviderRequest& provider) const {
  KeyValues rest = provider.options;
  const DeviceChoice choice = takeChoice(rest);
  const auto all = devicesOf(env, provider.name);
  auto devices = all;
  if (!choice.kind.empty()) {
    const auto other = [&](const auto& device) { return kindOf(device) != choice.kind; };
    devices.erase(std::remove_if(devices.begin(), devices.end(), other), devices.end());
  }
  if (choice.index >= devices.size()) {
    const bool isAny = choice.kind.empty() && choice.index == 0;
    const std::string wanted = isAny ? "device"
                                     : (choice.kind.empty() ? "" : choice.kind + " ") + "device " +
                                           std::to_string(choice.index);
    throw Error(ErrorCode::kProviderUnavailable,
                "The execution provider \"" + provider.name + "\" finds no " + wanted +
                    " on this machine" +
                    (all.empty() ? "." : "; it finds these: " + listOf(all) + "."));
  }
  const std::unordered_map<std::string, std::string> entries(rest.begin(), rest.end());
  options.AppendExecutionProvider_V2(env, {devices[choice.index]}, entries);
}

}  // namespace cloudeasyml::runtime
