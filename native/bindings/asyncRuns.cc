#include "bindings/asyncRuns.h"

#include <utility>

#include "bindings/addonData.h"
#include "bindings/errors.h"
#include "bindings/functions.h"
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

/// runAsync(handle, [[data, dims], …] in the inputs' order, [output, …], callback) → the number
/// that cancelRun() takes. The callback gets [[data, dims], …].
napi_value runAsync(napi_env rawEnv, napi_callback_info raw) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::CallbackInfo info(rawEnv, raw);
    const Napi::Env env = info.Env();
    AddonData& data = AddonData::of(env);
    auto run = std::make_unique<AsyncRun>();
    run->session = sessionFrom(info[0]);
    run->token = makeToken(data.engine, data.threadId);
    const auto inputs = info[1].As<Napi::Array>();
    for (size_t i = 0; i < run->session->inputs().size(); ++i) {
      const auto entry = inputs.Get(static_cast<uint32_t>(i)).As<Napi::Array>();
      run->inputs.push_back(tensorFrom(env, entry.Get(0u),
                                       dimsFrom(entry.Get(1u).As<Napi::Array>()),
                                       run->session->inputs()[i]));
    }
    const auto selection = info[2].As<Napi::Array>();
    for (uint32_t i = 0; i < selection.Length(); ++i) {
      run->selection.push_back(selection.Get(i).As<Napi::Number>().Uint32Value());
    }
    run->callback = Callback(info[3].As<Napi::Function>(), inputs);
    return Napi::Number::New(env, data.asyncRuns.start(env, std::move(run)));
  });
}

/// cancelRun(number)
napi_value cancelRun(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Napi::CallbackInfo info(env, raw);
    AddonData::of(env).asyncRuns.cancel(info[0].As<Napi::Number>().Uint32Value());
    return nullptr;
  });
}

}  // namespace

void AsyncRun::execute() noexcept {
  try {
    if (token->cancelled()) throw Error("cancelled", "The run was cancelled.");
    std::vector<const OrtValue*> values(inputs.begin(), inputs.end());
    std::vector<const char*> names;
    for (const size_t output : selection) names.push_back(session->outputNames().at(output));
    std::vector<OrtValue*> produced(selection.size(), nullptr);
    runtime::run(*session, *token, values, names, produced);
    for (OrtValue* value : produced) outputs.emplace_back(value);
  } catch (const Error& failure) {
    errorCode = failure.code();
    errorMessage = failure.what();
  } catch (const std::exception& failure) {
    errorCode = "internal";
    errorMessage = failure.what();
  }
}

void AsyncRun::report(Napi::Env env) {
  callback.call(env, errorCode, errorMessage, [&] {
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
                                      settle, &ended_) != napi_ok ||
      napi_unref_threadsafe_function(env, ended_) != napi_ok ||
      // Added after the function's own hook, so run before it: no thread calls it once it is gone.
      napi_add_env_cleanup_hook(env, tearDown, this) != napi_ok) {
    throw Napi::Error::New(env);
  }
}

uint32_t AsyncRuns::start(Napi::Env env, std::unique_ptr<AsyncRun> run) {
  AsyncRun* const executed = run.get();
  const uint32_t number = ++lastNumber_;
  if (runs_.empty()) napi_ref_threadsafe_function(env, ended_);
  runs_[number] = std::move(run);
  {
    std::lock_guard lock(mutex_);
    ++executing_;
  }
  AddonData::of(env).engine->runtime.pool.submit([this, executed, number] {
    executed->execute();
    napi_call_threadsafe_function(ended_, reinterpret_cast<void*>(uintptr_t{number}),
                                  napi_tsfn_nonblocking);
    std::lock_guard lock(mutex_);
    --executing_;
    idle_.notify_all();
  });
  return number;
}

void AsyncRuns::cancel(uint32_t number) noexcept {
  const auto found = runs_.find(number);
  if (found != runs_.end()) found->second->token->cancel();
}

void AsyncRuns::settle(napi_env env, napi_value, void* data, void* number) {
  // Without an environment it is being torn down, and tearDown() took the run.
  if (!env) return;
  auto* self = static_cast<AsyncRuns*>(data);
  auto run = self->runs_.extract(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(number)));
  if (run.empty()) return;
  if (self->runs_.empty()) napi_unref_threadsafe_function(env, self->ended_);
  const Napi::HandleScope scope(env);
  run.mapped()->report(env);
}

void AsyncRuns::tearDown(void* data) {
  auto* self = static_cast<AsyncRuns*>(data);
  for (const auto& [number, run] : self->runs_) run->token->cancel();
  std::unique_lock lock(self->mutex_);
  self->idle_.wait(lock, [self] { return self->executing_ == 0; });
  self->runs_.clear();
}

void registerAsyncRuns(Napi::Env env, Napi::Object exports) {
  defineFunction(env, exports, "runAsync", runAsync);
  defineFunction(env, exports, "cancelRun", cancelRun);
}

}  // namespace cloudeasyml::bindings
