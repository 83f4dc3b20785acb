#include "bindings/asyncRuns.h"

#include <utility>

#include "bindings/addonData.h"
#include "bindings/errors.h"
#include "bindings/exports.h"
#include "bindings/sessionBinding.h"
#include "bindings/tensorValues.h"
#include "runtime/run.h"

namespace cloudeasyml::bindings {

namespace {

/// [data, dims]
Napi::Value describe(Napi::Env env, Ort::Value value, std::shared_ptr<runtime::Session> session) {
  const Napi::Array dims = dimsOf(env, value);
  auto entry = Napi::Array::New(env, 2);
  entry.Set(0u, Napi::Value(env, elementsOf(env, std::move(value), std::move(session))));
  entry.Set(1u, dims);
  return entry;
}

}  // namespace

void AsyncRun::execute() noexcept {
  try {
    if (token->cancelled()) throw Error(ErrorCode::kCancelled, "The run was cancelled.");
    std::vector<const OrtValue*> values(inputs.begin(), inputs.end());
    std::vector<const char*> names;
    for (const size_t output : selection) names.push_back(session->outputNames().at(output));
    std::vector<OrtValue*> produced(selection.size(), nullptr);
    runtime::run(*session, *token, values, names, produced);
    for (OrtValue* value : produced) outputs.emplace_back(value);
  } catch (...) {
    failure = std::current_exception();
  }
}

void AsyncRun::report(Napi::Env env) {
  callback.call(env, failure, [&]() -> Napi::Value {
    auto results = Napi::Array::New(env, outputs.size());
    for (uint32_t i = 0; i < outputs.size(); ++i) {
      results.Set(i, describe(env, std::move(outputs[i]), session));
    }
    return results;
  });
}

AsyncRuns::AsyncRuns(Napi::Env env) {
  const Napi::String name = Napi::String::New(env, "cloudeasyml");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                      onEnded, &ended_) != napi_ok ||
      napi_unref_threadsafe_function(env, ended_) != napi_ok ||
      // Added after the function's own hook, so run before it: no thread calls it once it is gone.
      napi_add_env_cleanup_hook(env, cleanupHook<AsyncRuns, &AsyncRuns::tearDown>, this) !=
          napi_ok) {
    throw Napi::Error::New(env);
  }
}

uint32_t AsyncRuns::start(Napi::Env env, std::unique_ptr<AsyncRun> run) {
  AsyncRun& started = *run;
  const uint32_t number = ++lastNumber_;
  runs_[number] = std::move(run);
  {
    std::lock_guard lock(mutex_);
    ++executing_;
  }
  try {
    AddonData::of(env).engine->runtime.pool.submit(
        [this, &started, number] { execute(started, number); });
  } catch (...) {
    runs_.erase(number);
    std::lock_guard lock(mutex_);
    --executing_;
    throw;
  }
  if (runs_.size() == 1) napi_ref_threadsafe_function(env, ended_);
  return number;
}

void AsyncRuns::cancel(uint32_t number) noexcept {
  const auto found = runs_.find(number);
  if (found != runs_.end()) found->second->token->cancel();
}

void AsyncRuns::execute(AsyncRun& run, uint32_t number) noexcept {
  run.execute();
  napi_call_threadsafe_function(ended_, reinterpret_cast<void*>(uintptr_t{number}),
                                napi_tsfn_nonblocking);
  std::lock_guard lock(mutex_);
  --executing_;
  idle_.notify_all();
}

void AsyncRuns::onEnded(napi_env env, napi_value, void* self, void* number) noexcept {
  // Without an environment it is being torn down, and tearDown() took the run.
  if (!env) return;
  guarded(env, [&] {
    static_cast<AsyncRuns*>(self)->settle(
        env, static_cast<uint32_t>(reinterpret_cast<uintptr_t>(number)));
  });
}

void AsyncRuns::settle(Napi::Env env, uint32_t number) {
  auto run = runs_.extract(number);
  if (run.empty()) return;
  if (runs_.empty()) napi_unref_threadsafe_function(env, ended_);
  const Napi::HandleScope scope(env);
  run.mapped()->report(env);
}

void AsyncRuns::tearDown() {
  for (const auto& [number, run] : runs_) run->token->cancel();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return executing_ == 0; });
  runs_.clear();
}

uint32_t runAsync(Napi::Env env, Napi::Value handle, Napi::Array inputs, Napi::Array outputs,
                  Napi::Function callback) {
  AddonData& data = AddonData::of(env);
  auto run = std::make_unique<AsyncRun>();
  run->session = sessionFrom(handle);
  run->token = makeToken(data.engine, data.threadId);
  for (size_t i = 0; i < run->session->inputs().size(); ++i) {
    const auto entry = inputs.Get(static_cast<uint32_t>(i)).As<Napi::Array>();
    run->inputs.push_back(tensorFrom(env, entry.Get(0u), dimsFrom(entry.Get(1u).As<Napi::Array>()),
                                     run->session->inputs()[i]));
  }
  for (uint32_t i = 0; i < outputs.Length(); ++i) {
    run->selection.push_back(outputs.Get(i).As<Napi::Number>().Uint32Value());
  }
  run->callback = Callback(callback, inputs);
  return data.asyncRuns.start(env, std::move(run));
}

void cancelRun(Napi::Env env, uint32_t number) { AddonData::of(env).asyncRuns.cancel(number); }

}  // namespace cloudeasyml::bindings
