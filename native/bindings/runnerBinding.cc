#include "bindings/runnerBinding.h"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "bindings/addonData.h"
#include "bindings/errors.h"
#include "bindings/functions.h"
#include "bindings/runner.h"
#include "bindings/sessionBinding.h"

namespace cloudeasyml::bindings {

namespace {

template <size_t count>
struct Call {
  Call(napi_env env, napi_callback_info info) {
    size_t given = count;
    void* data = nullptr;
    if (napi_get_cb_info(env, info, &given, arguments.data(), nullptr, &data) != napi_ok) {
      throw Napi::Error::New(env);
    }
    runner = &objectOf<Runner>(data);
  }

  std::array<napi_value, count> arguments{};
  Runner* runner = nullptr;
};

size_t sizeFrom(napi_env env, napi_value value) {
  uint32_t number = 0;
  if (napi_get_value_uint32(env, value, &number) != napi_ok) {
    throw Error("internal", "Expected a number.");
  }
  return number;
}

/// The shape that JavaScript wrote at the head of the frame.
Dims dimsInHeader(napi_env env, napi_value rank) {
  const size_t count = sizeFrom(env, rank);
  if (count > Frame::kHeaderNumbers) {
    throw Error("invalid_input", "The tensor has more axes than the engine can carry.");
  }
  return readDims(AddonData::of(env).frame.header(), count);
}

/// bindInput(slot, offset, rank): a small tensor, in the frame
napi_value bindInput(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Call<3> call(env, info);
    const auto [slot, offset, rank] = call.arguments;
    const size_t at = sizeFrom(env, slot);
    call.runner->bindInput(at, call.runner->inFrame(sizeFrom(env, offset), dimsInHeader(env, rank),
                                                    call.runner->inputInfo(at)));
    return nullptr;
  });
}

/// bindOutput(slot, offset, rank)
napi_value bindOutput(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Call<3> call(env, info);
    const auto [slot, offset, rank] = call.arguments;
    const size_t at = sizeFrom(env, slot);
    call.runner->bindOutput(at, call.runner->inFrame(sizeFrom(env, offset), dimsInHeader(env, rank),
                                                     call.runner->outputInfo(at)));
    return nullptr;
  });
}

/// wrapInput(slot, data, rank): a large tensor where it lies, or an array of strings
napi_value wrapInput(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Call<3> call(env, info);
    const auto [slot, data, rank] = call.arguments;
    const size_t at = sizeFrom(env, slot);
    const auto& tensor = call.runner->inputInfo(at);
    call.runner->bindInput(at, tensorFrom(env, data, dimsInHeader(env, rank), tensor));
    return nullptr;
  });
}

/// wrapOutput(slot, data, rank)
napi_value wrapOutput(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Call<3> call(env, info);
    const auto [slot, data, rank] = call.arguments;
    const size_t at = sizeFrom(env, slot);
    const auto& tensor = call.runner->outputInfo(at);
    call.runner->bindOutput(
        at, wrapTypedArray(env, data, dimsInHeader(env, rank), tensor.type, tensor.name));
    return nullptr;
  });
}

/// select([output, …])
napi_value select(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Call<1> call(env, info);
    const Napi::Array list = Napi::Value(env, call.arguments[0]).As<Napi::Array>();
    std::vector<size_t> outputs;
    for (uint32_t i = 0; i < list.Length(); ++i) outputs.push_back(sizeFrom(env, list.Get(i)));
    call.runner->select(std::move(outputs));
    return nullptr;
  });
}

/// run()
napi_value run(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Call<0>(env, info).runner->run();
    return nullptr;
  });
}

/// take(slot) → an ArrayBuffer, or an array of strings
napi_value take(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Call<1> call(env, info);
    return elementsOf(env, call.runner->take(sizeFrom(env, call.arguments[0])),
                      call.runner->session());
  });
}

/// close()
napi_value close(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Call<0>(env, info).runner->close();
    return nullptr;
  });
}

/// createRunner(handle) → {select, bindInput, bindOutput, wrapInput, wrapOutput, run, take, close}
napi_value createRunner(napi_env rawEnv, napi_callback_info raw) {
  return guarded(rawEnv, [&]() -> napi_value {
    const Napi::CallbackInfo info(rawEnv, raw);
    const Napi::Env env = info.Env();
    const auto runner = std::make_shared<Runner>(AddonData::of(env), sessionFrom(info[0]));
    auto methods = Napi::Object::New(env);
    defineMethod(env, methods, "select", select, runner);
    defineMethod(env, methods, "bindInput", bindInput, runner);
    defineMethod(env, methods, "bindOutput", bindOutput, runner);
    defineMethod(env, methods, "wrapInput", wrapInput, runner);
    defineMethod(env, methods, "wrapOutput", wrapOutput, runner);
    defineMethod(env, methods, "run", run, runner);
    defineMethod(env, methods, "take", take, runner);
    defineMethod(env, methods, "close", close, runner);
    return methods;
  });
}

}  // namespace

void registerRunner(Napi::Env env, Napi::Object exports) {
  defineFunction(env, exports, "createRunner", createRunner);
}

}  // namespace cloudeasyml::bindings
