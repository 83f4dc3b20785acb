#include "bindings/servingBinding.h"

#include "bindings/addonData.h"
#include "bindings/batchWorker.h"
#include "bindings/errors.h"
#include "bindings/frontEnd.h"
#include "bindings/sessionBinding.h"
#include "serving/time.h"

namespace cloudeasyml::bindings {

namespace {

serving::Scheduler& schedulerOf(const Napi::CallbackInfo& info) {
  return AddonData::of(info.Env()).engine->scheduler;
}

// addDeployment(id, owner, [maxBatchSize, maxQueueDelayUs, maxQueueSize, timeoutMs, maxStreams],
// session?, metadata)
Napi::Value addDeployment(const Napi::CallbackInfo& info) {
  return {info.Env(), guarded(info.Env(), [&]() -> napi_value {
            const auto numbers = info[2].As<Napi::Array>();
            const auto number = [&](uint32_t i) {
              return numbers.Get(i).As<Napi::Number>().Int64Value();
            };
            serving::BatchLimits limits;
            limits.maxBatchSize = static_cast<uint32_t>(number(0));
            limits.maxQueueDelayNs = number(1) * serving::kMicrosecond;
            limits.maxQueueSize = static_cast<uint32_t>(number(2));
            limits.timeoutNs = number(3) * serving::kMillisecond;
            limits.maxStreams = static_cast<uint32_t>(number(4));
            std::shared_ptr<const serving::OnnxModel> model;
            if (!info[3].IsUndefined()) {
              model = std::make_shared<serving::OnnxModel>(sessionFrom(info[3]),
                                                           info[4].ToString().Utf8Value());
            }
            const auto deployment = schedulerOf(info).add(info[0].ToString().Utf8Value(),
                                                          info[1].As<Napi::Number>().Uint32Value(),
                                                          limits, std::move(model));
            return Napi::Number::New(info.Env(), deployment->handle);
          })};
}

std::shared_ptr<serving::Deployment> deploymentOf(const Napi::CallbackInfo& info) {
  return schedulerOf(info).find(info[0].As<Napi::Number>().Uint32Value());
}

// setAccepting(handle, accepting)
void setAccepting(const Napi::CallbackInfo& info) {
  const bool accepting = info[1].As<Napi::Boolean>();
  if (const auto deployment = deploymentOf(info)) {
    schedulerOf(info).setAccepting(*deployment, accepting);
  }
}

Napi::Value isIdle(const Napi::CallbackInfo& info) {
  const auto deployment = deploymentOf(info);
  return Napi::Boolean::New(info.Env(), !deployment || schedulerOf(info).idle(*deployment));
}

void removeDeployment(const Napi::CallbackInfo& info) {
  if (const auto deployment = deploymentOf(info)) schedulerOf(info).remove(*deployment);
}

// retireStalled(graceMs)
Napi::Value retireStalled(const Napi::CallbackInfo& info) {
  const auto graceNs = info[0].As<Napi::Number>().Int64Value() * serving::kMillisecond;
  const auto ids = schedulerOf(info).retireStalled(graceNs);
  auto array = Napi::Array::New(info.Env(), ids.size());
  for (uint32_t i = 0; i < ids.size(); ++i) array.Set(i, ids[i]);
  return array;
}

}  // namespace

void registerServing(Napi::Env env, Napi::Object exports, AddonData&) {
  const auto define = [&](const char* name, auto callback) {
    exports.Set(name, Napi::Function::New(env, callback, name));
  };
  define("createFrontEnd", createFrontEnd);
  define("createWorker", createWorker);
  define("addDeployment", addDeployment);
  define("setAccepting", setAccepting);
  define("isIdle", isIdle);
  define("removeDeployment", removeDeployment);
  define("retireStalled", retireStalled);
}

}  // namespace cloudeasyml::bindings
