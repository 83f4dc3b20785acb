// Deployments, as JavaScript adds and removes them.
#include <memory>
#include <string>
#include <utility>

#include "bindings/addonData.h"
#include "bindings/exports.h"
#include "bindings/sessionBinding.h"
#include "serving/time.h"

namespace cloudeasyml::bindings {

namespace {

serving::Scheduler& schedulerOf(Napi::Env env) { return AddonData::of(env).engine->scheduler; }

serving::BatchLimits limitsFrom(Napi::Array numbers) {
  const auto number = [&](uint32_t i) { return numbers.Get(i).As<Napi::Number>().Int64Value(); };
  serving::BatchLimits limits;
  limits.maxBatchSize = static_cast<uint32_t>(number(BatchLimit::kMaxBatchSize));
  limits.maxQueueDelayNs = number(BatchLimit::kMaxQueueDelayUs) * serving::kMicrosecond;
  limits.maxQueueSize = static_cast<uint32_t>(number(BatchLimit::kMaxQueueSize));
  limits.timeoutNs = number(BatchLimit::kTimeoutMs) * serving::kMillisecond;
  limits.maxStreams = static_cast<uint32_t>(number(BatchLimit::kMaxStreams));
  return limits;
}

}  // namespace

uint32_t addDeployment(Napi::Env env, std::string id, uint32_t owner, Napi::Array limits,
                       Napi::Value session, std::string metadata) {
  std::shared_ptr<const serving::OnnxModel> model;
  if (!session.IsUndefined()) {
    model = std::make_shared<serving::OnnxModel>(sessionFrom(session), std::move(metadata));
  }
  return schedulerOf(env).add(std::move(id), owner, limitsFrom(limits), std::move(model))->handle;
}

void setAccepting(Napi::Env env, uint32_t handle, bool accepting) {
  auto& scheduler = schedulerOf(env);
  if (const auto deployment = scheduler.find(handle)) {
    scheduler.setAccepting(*deployment, accepting);
  }
}

bool isIdle(Napi::Env env, uint32_t handle) {
  const auto& scheduler = schedulerOf(env);
  const auto deployment = scheduler.find(handle);
  return !deployment || scheduler.idle(*deployment);
}

void removeDeployment(Napi::Env env, uint32_t handle) {
  auto& scheduler = schedulerOf(env);
  if (const auto deployment = scheduler.find(handle)) scheduler.remove(*deployment);
}

Napi::Value retireStalled(Napi::Env env, int64_t graceMs) {
  const auto ids = schedulerOf(env).retireStalled(graceMs * serving::kMillisecond);
  auto array = Napi::Array::New(env, ids.size());
  for (uint32_t i = 0; i < ids.size(); ++i) array.Set(i, ids[i]);
  return array;
}

}  // namespace cloudeasyml::bindings
