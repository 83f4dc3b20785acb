// The table of everything that the addon gives to JavaScript, once per environment.
#include <napi.h>

#include "bindings/addonData.h"
#include "bindings/errors.h"
#include "bindings/exports.h"
#include "bindings/functions.h"

namespace cloudeasyml::bindings {

namespace {

constexpr Function<void> kExports[] = {
    {"initialize", callback<initialize>},
    {"startRuntime", callback<startRuntime>},
    {"ensureRuntimeStarted", callback<ensureRuntimeStarted>},
    {"runtimeInfo", callback<runtimeInfo>},
    {"stopThread", callback<stopThread>},
    {"stopAll", callback<stopAll>},
    {"eraseVariable", callback<eraseVariable>},
    {"collectGarbage", callback<collectGarbage>},
    {"openSession", callback<openSession>},
    {"openSessionSync", callback<openSessionSync>},
    {"modelState", callback<modelState>},
    {"releaseSession", callback<releaseSession>},
    {"openSessions", callback<openSessions>},
    {"createRunner", callback<createRunner>},
    {"runAsync", callback<runAsync>},
    {"cancelRun", callback<cancelRun>},
    {"createIoBinding", callback<createIoBinding>},
    {"allocatePinned", callback<allocatePinned>},
    {"inspectModel", callback<inspectModel>},
    {"addDeployment", callback<addDeployment>},
    {"routeEndpoint", callback<routeEndpoint>},
    {"removeEndpoint", callback<removeEndpoint>},
    {"setAccepting", callback<setAccepting>},
    {"isIdle", callback<isIdle>},
    {"removeDeployment", callback<removeDeployment>},
    {"limitMemory", callback<limitMemory>},
    {"overdueWorkers", callback<overdueWorkers>},
    {"createFrontEnd", callback<createFrontEnd>},
    {"createWorker", callback<createWorker>},
};

}  // namespace

napi_value registerAll(napi_env rawEnv, napi_value exports) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::Env env(rawEnv);
    env.SetInstanceData(new AddonData(env));
    defineFunctions(Napi::Object(env, exports), kExports);
    return exports;
  });
}

}  // namespace cloudeasyml::bindings

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  return cloudeasyml::bindings::registerAll(env, exports);
}
