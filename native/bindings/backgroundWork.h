// Work on libuv's threads whose result goes to a JavaScript callback.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
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

  /// Calls it with the error that `code` and `message` make, or, where there is no code, with the
  /// result of `convert`.
  template <typename Convert>
  void call(Napi::Env env, const char* code, const std::string& message, Convert&& convert) const {
    try {
      const Napi::Value error = code ? makeError(env, code, message) : Napi::Value(env.Null());
      const Napi::Value result = code ? Napi::Value(env.Undefined()) : Napi::Value(convert());
      held_.Value().Get(0u).As<Napi::Function>().Call({error, result});
    } catch (const Napi::Error& failure) {
      failure.ThrowAsJavaScriptException();
    }
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
  static void run(napi_env, void* data) {
    auto* self = static_cast<BackgroundWork*>(data);
    try {
      self->result_ = self->execute_();
    } catch (const Error& failure) {
      self->code_ = failure.code();
      self->message_ = failure.what();
    } catch (const std::exception& failure) {
      self->code_ = "internal";
      self->message_ = failure.what();
    }
  }

  static void complete(napi_env rawEnv, napi_status status, void* data) {
    const Napi::Env env(rawEnv);
    const Napi::HandleScope scope(env);
    const std::unique_ptr<BackgroundWork> self(static_cast<BackgroundWork*>(data));
    napi_delete_async_work(env, self->work_);
    // A cancelled one belongs to an environment that is being torn down: nobody waits for it.
    if (status != napi_ok) return;
    self->callback_.call(env, self->code_, self->message_,
                         [&] { return self->convert_(env, std::move(*self->result_)); });
  }

  Execute execute_;
  Convert convert_;
  Callback callback_;
  napi_async_work work_ = nullptr;
  std::optional<Result> result_;
  const char* code_ = nullptr;
  std::string message_;
};

}  // namespace cloudeasyml::bindings
