// Native functions as JavaScript's: one table of rows, one wrapper around each call.
//
// A free function takes the environment and then its arguments; a bound one is a member function of
// its object. Arguments are read as the parameters' types ask, and the result is converted
// likewise. What a function throws becomes a JavaScript error.
#pragma once

#include <napi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "bindings/errors.h"
#include "bindings/text.h"

namespace cloudeasyml::bindings {

/// The memory of an ArrayBuffer or a Uint8Array; empty for anything else.
struct Bytes {
  const char* data = nullptr;
  size_t size = 0;

  std::string_view view() const noexcept { return {data, size}; }
};

inline Bytes bytesOf(napi_env env, napi_value value) noexcept {
  void* data = nullptr;
  size_t size = 0;
  // uWebSockets.js brings ArrayBuffers; asking what a value is costs as much as trying.
  if (napi_get_arraybuffer_info(env, value, &data, &size) != napi_ok) {
    napi_get_typedarray_info(env, value, nullptr, &size, &data, nullptr, nullptr);
  }
  return {static_cast<const char*>(data), size};
}

namespace detail {

template <typename T>
T argumentOf(napi_env env, napi_value value) {
  [[maybe_unused]] const auto check = [](napi_status status, const char* message) {
    if (status != napi_ok) throw Error(ErrorCode::kInternal, message);
  };
  if constexpr (std::is_same_v<T, uint32_t>) {
    uint32_t number = 0;
    check(napi_get_value_uint32(env, value, &number), "Expected a number.");
    return number;
  } else if constexpr (std::is_same_v<T, int32_t>) {
    int32_t number = 0;
    check(napi_get_value_int32(env, value, &number), "Expected a number.");
    return number;
  } else if constexpr (std::is_same_v<T, int64_t>) {
    int64_t number = 0;
    check(napi_get_value_int64(env, value, &number), "Expected a number.");
    return number;
  } else if constexpr (std::is_same_v<T, double>) {
    double number = 0;
    check(napi_get_value_double(env, value, &number), "Expected a number.");
    return number;
  } else if constexpr (std::is_same_v<T, bool>) {
    bool truth = false;
    check(napi_get_value_bool(env, value, &truth), "Expected true or false.");
    return truth;
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::string text;
    if (!readText(env, value, text)) throw Error(ErrorCode::kInternal, "Expected a string.");
    return text;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return bytesOf(env, value);
  } else if constexpr (std::is_same_v<T, napi_value>) {
    return value;
  } else {
    static_assert(std::is_base_of_v<Napi::Value, T>, "Arguments of this type can't be read.");
    return T(env, value);
  }
}

template <typename T>
napi_value resultOf(napi_env env, const T& result) {
  if constexpr (std::is_convertible_v<T, napi_value>) {
    return result;
  } else {
    napi_value value = nullptr;
    if constexpr (std::is_same_v<T, bool>) {
      napi_get_boolean(env, result, &value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      napi_create_string_utf8(env, result.data(), result.size(), &value);
    } else if constexpr (std::is_same_v<T, int32_t>) {
      napi_create_int32(env, result, &value);
    } else if constexpr (std::is_same_v<T, uint32_t>) {
      napi_create_uint32(env, result, &value);
    } else {
      static_assert(std::is_same_v<T, double>, "Results of this type can't be converted.");
      napi_create_double(env, result, &value);
    }
    return value;
  }
}

template <typename Invoke>
napi_value convertedResult(napi_env env, Invoke&& invoke) {
  if constexpr (std::is_void_v<decltype(invoke())>) {
    invoke();
    return nullptr;
  } else {
    return resultOf(env, invoke());
  }
}

/// How a native function is called: its object's type, its number of arguments, and the call.
template <typename Function>
struct Signature;

template <typename Result, typename... Arguments>
struct Signature<Result (*)(Napi::Env, Arguments...)> {
  using Self = void;
  static constexpr size_t kArguments = sizeof...(Arguments);

  template <auto function, size_t... index>
  static napi_value call(napi_env env, void*, [[maybe_unused]] const napi_value* given,
                         std::index_sequence<index...>) {
    return convertedResult(env, [&] {
      return function(env, argumentOf<std::decay_t<Arguments>>(env, given[index])...);
    });
  }
};

template <typename Object, typename Result, typename... Arguments>
struct Signature<Result (Object::*)(Arguments...)> {
  using Self = Object;
  static constexpr size_t kArguments = sizeof...(Arguments);

  template <auto function, size_t... index>
  static napi_value call(napi_env env, void* self, [[maybe_unused]] const napi_value* given,
                         std::index_sequence<index...>) {
    return convertedResult(env, [&] {
      return (static_cast<Object*>(self)->*function)(
          argumentOf<std::decay_t<Arguments>>(env, given[index])...);
    });
  }
};

template <typename Object, typename Result, typename... Arguments>
struct Signature<Result (Object::*)(Arguments...) const>
    : Signature<Result (Object::*)(Arguments...)> {};

template <auto function>
napi_value invoke(napi_env env, napi_callback_info info) noexcept {
  using Called = Signature<decltype(function)>;
  return guarded(env, [&] {
    // One more than there may be: an array of none has no address.
    std::array<napi_value, Called::kArguments + 1> given{};
    size_t count = Called::kArguments;
    void* self = nullptr;
    napi_get_cb_info(env, info, &count, given.data(), nullptr, &self);
    return Called::template call<function>(env, self, given.data(),
                                           std::make_index_sequence<Called::kArguments>());
  });
}

inline Napi::Function makeFunction(Napi::Env env, const char* name, napi_callback callback,
                                   void* self) {
  napi_value function = nullptr;
  NAPI_THROW_IF_FAILED(env,
                       napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, self, &function),
                       Napi::Function());
  return {env, function};
}

}  // namespace detail

/// A guarded Node-API callback that needs an object of type `Self`, or none where that is void.
template <typename Self>
struct GuardedCallback {
  napi_callback raw;
};

template <auto function>
inline constexpr GuardedCallback<typename detail::Signature<decltype(function)>::Self> callback{
    detail::invoke<function>};

/// A row of a table of functions: {"name", callback<function>}.
template <typename Self>
struct Function {
  const char* name;
  GuardedCallback<Self> callback;
};

/// Sets the free functions of a table on `target`.
template <size_t count>
void defineFunctions(Napi::Object target, const Function<void> (&table)[count]) {
  for (const auto& [name, callback] : table) {
    target.Set(name, detail::makeFunction(target.Env(), name, callback.raw, nullptr));
  }
}

/// Sets functions bound to `self`, which must outlive the environment's JavaScript.
template <typename Self, size_t count>
void bindFunctions(Napi::Object target, const Function<Self> (&table)[count], Self* self) {
  for (const auto& [name, callback] : table) {
    target.Set(name, detail::makeFunction(target.Env(), name, callback.raw, self));
  }
}

/// Sets functions bound to `self`, each of which keeps it alive.
template <typename Self, size_t count>
void bindFunctions(Napi::Object target, const Function<Self> (&table)[count],
                   const std::shared_ptr<Self>& self) {
  const auto finalize = [](napi_env, void*, void* hint) {
    delete static_cast<std::shared_ptr<Self>*>(hint);
  };
  const Napi::Env env = target.Env();
  for (const auto& [name, callback] : table) {
    auto function = detail::makeFunction(env, name, callback.raw, self.get());
    auto kept = std::make_unique<std::shared_ptr<Self>>(self);
    NAPI_THROW_IF_FAILED_VOID(
        env, napi_add_finalizer(env, function, self.get(), finalize, kept.get(), nullptr));
    kept.release();
    target.Set(name, function);
  }
}

}  // namespace cloudeasyml::bindings
