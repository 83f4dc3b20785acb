// What the addon gives to JavaScript, beside the objects' own functions. src/engine/addon.ts and
// src/engine/servingAddon.ts have the types.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

namespace cloudeasyml::bindings {

// The runtime: runtimeBinding.cc

/// @param errorClass CloudEasyMLError
/// @returns the frame's ArrayBuffer
Napi::Value initialize(Napi::Env env, Napi::Function errorClass, int32_t threadId);
void startRuntime(Napi::Env env, Napi::Object settings);
void ensureRuntimeStarted(Napi::Env env, Napi::Object settings);
/// @returns {version, library, executionProviders}
Napi::Value runtimeInfo(Napi::Env env);
void stopThread(Napi::Env env, int32_t threadId);
/// The process is exiting. Returns once no run of the pool uses the library, whose statics go next.
void stopAll(Napi::Env env);

// The process: environment.cc

/// Overwrites a variable's value where the process was given it, which /proc shows to the end.
void eraseVariable(Napi::Env env, const std::string& name);
/// Has V8 begin to collect this thread's garbage.
void collectGarbage(Napi::Env env);

// Sessions: sessionBinding.cc

/// @returns {handle, inputs, outputs, executionProviders}
Napi::Value openSessionSync(Napi::Env env, Napi::Value model, Napi::Object options);
/// The same, to the callback. JavaScript must not touch `model` until then.
void openSession(Napi::Env env, Napi::Value model, Napi::Object options, Napi::Function callback);
/// @returns {state, weights}: what tells one state of a model and its weights from another
Napi::Value modelState(Napi::Env env, Napi::Value model, const std::string& contentHash,
                       Napi::Value configEntries);
/// Runs that are under way keep the session until they end.
void releaseSession(Napi::Env env, Napi::Value handle);
/// @returns how many sessions the process has open
uint32_t openSessions(Napi::Env env);

// Runs: runnerBinding.cc, asyncRuns.cc, ioBinding.cc

/// @returns {select, bindInput, bindOutput, wrapInput, wrapOutput, lendOutput, run, take, close}
Napi::Value createRunner(Napi::Env env, Napi::Value handle);
/// Runs on another thread.
/// @param inputs [[data, dims], …] in the inputs' order
/// @param outputs the outputs' places in the model
/// @param callback gets [[data, dims], …]
/// @returns the number that cancelRun() takes
uint32_t runAsync(Napi::Env env, Napi::Value handle, Napi::Array inputs, Napi::Array outputs,
                  Napi::Function callback);
void cancelRun(Napi::Env env, uint32_t number);
/// @returns {bindInput, bindDeviceInput, clearOutputs, bindOutput, bindOutputTo, run, takeOutputs}
Napi::Value createIoBinding(Napi::Env env, Napi::Value handle);
/// @returns an ArrayBuffer in pinned memory, or null where it can't be viewed
Napi::Value allocatePinned(Napi::Env env, Napi::Value handle, const std::string& type,
                           Napi::Array dims);

// Serving: servingBinding.cc, frontEnd.cc, batchWorker.cc

/// @param maxHeldBytes of requests and answers, of all users together
/// @param answerLimit bytes of one answer, for deployments that are added afterwards
void limitMemory(Napi::Env env, double maxHeldBytes, double answerLimit);

/// Decides how a session's requests become runs, and tries that, off the calling thread.
/// @param options {metadata, batchAxis, maxBatchSize, labels: [[output, [label, …]], …]}
/// @param callback gets {handle, batching: {joined, verified, detail}}
void inspectModel(Napi::Env env, Napi::Value session, Napi::Object options,
                  Napi::Function callback);
/// @param limits in the order of BatchLimit
/// @param model what inspectModel() gave; undefined for a plugin with code
/// @returns the deployment's handle
uint32_t addDeployment(Napi::Env env, uint32_t owner, Napi::Array limits, Napi::Value model);
/// Has an endpoint's requests go to these deployments, by their weights, from now on.
/// @returns the endpoint's number
uint32_t routeEndpoint(Napi::Env env, const std::string& id, Napi::Array deployments,
                       Napi::Array weights);
void removeEndpoint(Napi::Env env, const std::string& id);
void setAccepting(Napi::Env env, uint32_t handle, bool accepting);
bool isIdle(Napi::Env env, uint32_t handle);
void removeDeployment(Napi::Env env, uint32_t handle);
/// @returns the ids of workers that have nothing to do which may still be within its time
Napi::Value overdueWorkers(Napi::Env env, int64_t graceMs);
/// @returns what src/engine/frontEnd.ts describes as NativeFrontEnd
Napi::Value createFrontEnd(Napi::Env env, Napi::Function onCompletions, Napi::Int32Array records,
                           Napi::Uint8Array outbox, Napi::Int32Array scanned);
/// @returns what src/engine/batchWorker.ts describes as BatchWorker
Napi::Value createWorker(Napi::Env env, Napi::Function onWork);

}  // namespace cloudeasyml::bindings
