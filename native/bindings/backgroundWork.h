// Work on libuv's threads whose result goes to a JavaScript callback.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "bindings/errors.h"

namespace cloudeasyml::bindings {

/// A JavaScript function `(error, result) => void` and a value that it keeps alive until it is
/// called.
///
/// Not a promise of Node-API's: that is leaked where its environment goes before it is settled.
class Callback {
 public:
  Callback() = default;
  Callback(Napi::Function function, Napi::Value keptAlive)
      : held_(Napi::Reference<Napi::Array>::New(Napi::Array::New(function.Env(), 2), 1)) {
    held_.Value().Set(0u, function);
    held_.Value().Set(1u, keptAlive);
  }

  /// Calls it with `failure` as an error, or, where that is null, with the result of `convert`, or
  /// what that throws. What the function itself throws is thrown on.
  template <typename Convert>
  void call(Napi::Env env, const std::exception_ptr& failure, Convert&& convert) const {
    Napi::Value error = env.Null();
    Napi::Value result = env.Undefined();
    try {
      if (failure) std::rethrow_exception(failure);
      result = convert();
    } catch (...) {
      error = Napi::Value(env, currentError(env));
    }
    held_.Value().Get(0u).As<Napi::Function>().Call({error, result});
  }

 private:
  Napi::Reference<Napi::Array> held_;
};

template <typename Result>
class BackgroundWork {
 public:
  using Execute = std::function<Result()>;
  using Convert = std::function<Napi::Value(Napi::Env, Result)>;

  static void queue(Napi::Env env, Callback callback, Execute execute, Convert convert) {
    auto work = std::make_unique<BackgroundWork>();
    work->execute_ = std::move(execute);
    work->convert_ = std::move(convert);
    work->callback_ = std::move(callback);
    const auto name = Napi::String::New(env, "cloudeasyml");
    if (napi_create_async_work(env, nullptr, name, run, complete, work.get(), &work->work_) !=
            napi_ok ||
        napi_queue_async_work(env, work->work_) != napi_ok) {
      throw Napi::Error::New(env);
    }
    work.release();
  }

 private:
  static void run(napi_env, void* data) noexcept {
    auto* self = static_cast<BackgroundWork*>(data);
    try {
      self->result_ = self->execute_();
    } catch (...) {
      self->failure_ = std::current_exception();
    }
  }

  static void complete(napi_env rawEnv, napi_status status, void* data) noexcept {
    const std::unique_ptr<BackgroundWork> self(static_cast<BackgroundWork*>(data));
    napi_delete_async_work(rawEnv, self->work_);
    // A cancelled one belongs to an environment that is being torn down: nobody waits for it.
    if (status != napi_ok) return;
    guarded(rawEnv, [&] {
      const Napi::Env env(rawEnv);
      const Napi::HandleScope scope(env);
      self->callback_.call(env, self->failure_,
                           [&] { return self->convert_(env, std::move(*self->result_)); });
    });
  }

  Execute execute_;
  Convert convert_;
  Callback callback_;
  napi_async_work work_ = nullptr;
  std::optional<Result> result_;
  std::exception_ptr failure_;
};

}  // namespace cloudeasyml::bindings
