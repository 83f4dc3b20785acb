// Registers everything that the addon gives to JavaScript, once per environment.
#include <napi.h>

#include "bindings/addonData.h"
#include "bindings/asyncRuns.h"
#include "bindings/errors.h"
#include "bindings/ioBinding.h"
#include "bindings/runnerBinding.h"
#include "bindings/runtimeBinding.h"
#include "bindings/servingBinding.h"
#include "bindings/sessionBinding.h"

namespace cloudeasyml::bindings {

napi_value registerAll(napi_env rawEnv, napi_value rawExports) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::Env env(rawEnv);
    const Napi::Object exports(env, rawExports);
    auto* data = new AddonData(env);
    env.SetInstanceData(data);
    registerRuntime(env, exports);
    registerSession(env, exports);
    registerRunner(env, exports);
    registerAsyncRuns(env, exports);
    registerIoBinding(env, exports);
    registerServing(env, exports, *data);
    return exports;
  });
}

}  // namespace cloudeasyml::bindings

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  return cloudeasyml::bindings::registerAll(env, exports);
}
