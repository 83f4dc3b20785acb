// Models, deployments and endpoints, as JavaScript adds and removes them.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/onnxBackend.h"
#include "backends/pluginBackend.h"
#include "bindings/addonData.h"
#include "bindings/backgroundWork.h"
#include "bindings/exports.h"
#include "bindings/nativeHandle.h"
#include "bindings/sessionBinding.h"
#include "serving/time.h"

namespace cloudeasyml::bindings {

namespace {

using backends::OnnxBackend;

constexpr napi_type_tag kModelTag = {0x3f6a0d1c9b7e4258, 0xb1c2947de8a05f36};

Engine& engineOf(Napi::Env env) { return *AddonData::of(env).engine; }

serving::BatchLimits limitsFrom(const Engine& engine, Napi::Array numbers) {
  const auto number = [&](uint32_t i) { return numbers.Get(i).As<Napi::Number>().Int64Value(); };
  serving::BatchLimits limits;
  // A model that does not batch gets one request a run.
  limits.maxBatchSize =
      static_cast<uint32_t>(std::max<int64_t>(number(BatchLimit::kMaxBatchSize), 1));
  limits.maxQueueDelayNs = number(BatchLimit::kMaxQueueDelayUs) * serving::kMicrosecond;
  limits.maxQueueSize = static_cast<uint32_t>(number(BatchLimit::kMaxQueueSize));
  limits.timeoutNs = number(BatchLimit::kTimeoutMs) * serving::kMillisecond;
  limits.maxStreams = static_cast<uint32_t>(number(BatchLimit::kMaxStreams));
  limits.answerBytes = engine.answerBytes;
  return limits;
}

std::vector<std::string> textsFrom(Napi::Array array) {
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    texts.push_back(array.Get(i).As<Napi::String>().Utf8Value());
  }
  return texts;
}

backends::OnnxOptions optionsFrom(Napi::Object object) {
  backends::OnnxOptions options;
  options.metadata = object.Get("metadata").As<Napi::String>().Utf8Value();
  options.batchAxis =
      static_cast<BatchAxis>(object.Get("batchAxis").As<Napi::Number>().Int32Value());
  options.maxBatchSize = object.Get("maxBatchSize").As<Napi::Number>().Uint32Value();
  const auto labels = object.Get("labels").As<Napi::Array>();
  for (uint32_t i = 0; i < labels.Length(); ++i) {
    const auto entry = labels.Get(i).As<Napi::Array>();
    options.labels.emplace(entry.Get(0u).As<Napi::String>().Utf8Value(),
                           textsFrom(entry.Get(1u).As<Napi::Array>()));
  }
  return options;
}

Napi::Value inspected(Napi::Env env, std::shared_ptr<OnnxBackend> model) {
  const auto& contract = model->contract();
  auto batching = Napi::Object::New(env);
  batching.Set("joined", contract.joined);
  batching.Set("verified", contract.verified);
  batching.Set("detail", contract.detail);
  auto result = Napi::Object::New(env);
  result.Set("batching", batching);
  result.Set("handle", makeHandle(env, kModelTag, std::move(model)));
  return result;
}

}  // namespace

void limitMemory(Napi::Env env, double maxHeldBytes, double answerLimit) {
  auto& engine = engineOf(env);
  engine.budget->setMost(static_cast<size_t>(maxHeldBytes));
  engine.answerBytes = static_cast<size_t>(answerLimit);
}

void inspectModel(Napi::Env env, Napi::Value session, Napi::Object options,
                  Napi::Function callback) {
  BackgroundWork<std::shared_ptr<OnnxBackend>>::queue(
      env, Callback(callback, session),
      [engine = AddonData::of(env).engine, opened = sessionFrom(session),
       read = optionsFrom(options)] {
        return std::make_shared<OnnxBackend>(opened, read, engine->runtime.runs);
      },
      inspected);
}

uint32_t addDeployment(Napi::Env env, uint32_t owner, Napi::Array limits, Napi::Value model) {
  std::shared_ptr<const serving::Backend> backend;
  if (model.IsUndefined()) {
    backend = std::make_shared<backends::PluginBackend>();
  } else {
    backend = heldBy<OnnxBackend>(model, kModelTag, "Expected a model that was inspected.");
  }
  auto& engine = engineOf(env);
  return engine.directory.add(owner, limitsFrom(engine, limits), std::move(backend))->handle;
}

uint32_t routeEndpoint(Napi::Env env, const std::string& id, Napi::Array deployments,
                       Napi::Array weights) {
  auto& directory = engineOf(env).directory;
  std::vector<serving::Share> shares;
  for (uint32_t i = 0; i < deployments.Length(); ++i) {
    auto deployment = directory.find(deployments.Get(i).As<Napi::Number>().Uint32Value());
    const uint32_t weight = weights.Get(i).As<Napi::Number>().Uint32Value();
    if (deployment && weight > 0) shares.push_back({std::move(deployment), weight});
  }
  return directory.route(id, std::move(shares));
}

void removeEndpoint(Napi::Env env, const std::string& id) { engineOf(env).directory.unroute(id); }

void setAccepting(Napi::Env env, uint32_t handle, bool accepting) {
  const auto deployment = engineOf(env).directory.find(handle);
  if (deployment) deployment->accepting = accepting;
}

bool isIdle(Napi::Env env, uint32_t handle) {
  const auto deployment = engineOf(env).directory.find(handle);
  return !deployment || deployment->isIdle();
}

void removeDeployment(Napi::Env env, uint32_t handle) {
  auto& engine = engineOf(env);
  const auto deployment = engine.directory.find(handle);
  if (deployment) engine.dispatcher.remove(deployment);
}

Napi::Value overdueWorkers(Napi::Env env, int64_t graceMs) {
  const auto ids = engineOf(env).dispatcher.overdueWorkers(graceMs * serving::kMillisecond);
  auto array = Napi::Array::New(env, ids.size());
  for (uint32_t i = 0; i < ids.size(); ++i) array.Set(i, ids[i]);
  return array;
}

}  // namespace cloudeasyml::bindings
