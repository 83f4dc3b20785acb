// Work on libuv's threads whose result settles a promise.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings/errors.h"

namespace cloudeasyml::bindings {

template <typename Result>
class PromiseWork {
 public:
  using Execute = std::function<Result()>;
  using Convert = std::function<Napi::Value(Napi::Env, Result)>;

  static napi_value queue(Napi::Env env, Napi::Value held, Execute execute, Convert convert) {
    auto work = std::make_unique<PromiseWork>();
    work->execute_ = std::move(execute);
    work->convert_ = std::move(convert);
    work->held_ = Napi::Reference<Napi::Array>::New(Napi::Array::New(env, 1), 1);
    work->held_.Value().Set(0u, held);
    napi_value promise, name = Napi::String::New(env, "cloudeasyml");
    if (napi_create_promise(env, &work->deferred_, &promise) != napi_ok ||
        napi_create_async_work(env, nullptr, name, run, complete, work.get(), &work->work_) !=
            napi_ok ||
        napi_queue_async_work(env, work->work_) != napi_ok) {
      throw Napi::Error::New(env);
    }
    work.release();
    return promise;
  }

 private:
  static void run(napi_env, void* data) {
    auto* self = static_cast<PromiseWork*>(data);
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
    const std::unique_ptr<PromiseWork> self(static_cast<PromiseWork*>(data));
    napi_delete_async_work(env, self->work_);
    // A cancelled one belongs to an environment that is being torn down: nobody waits for it.
    if (status != napi_ok) return;
    try {
      if (self->code_) {
        napi_reject_deferred(env, self->deferred_, makeError(env, self->code_, self->message_));
      } else {
        napi_resolve_deferred(env, self->deferred_, self->convert_(env, std::move(*self->result_)));
      }
    } catch (const Napi::Error& failure) {
      napi_reject_deferred(env, self->deferred_, failure.Value());
    }
  }

  Execute execute_;
  Convert convert_;
  Napi::Reference<Napi::Array> held_;
  napi_deferred deferred_ = nullptr;
  napi_async_work work_ = nullptr;
  std::optional<Result> result_;
  const char* code_ = nullptr;
  std::string message_;
};

/// Runs `execute` on another thread, then `convert` on this one; `held` is kept alive meanwhile.
/// Returns a promise of what `convert` makes of the result.
template <typename Result>
napi_value queueWork(Napi::Env env, Napi::Value held, typename PromiseWork<Result>::Execute execute,
                     typename PromiseWork<Result>::Convert convert) {
  return PromiseWork<Result>::queue(env, held, std::move(execute), std::move(convert));
}

}  // namespace cloudeasyml::bindings
