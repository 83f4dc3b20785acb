// What every fuzz target is made of.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace cloudeasyml::test {

/// Ends the process with a report where something that must hold does not.
#define REQUIRE(condition)                                                                \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

/// The fuzzer's bytes, taken from the front.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  /// A choice of `count`; digits choose themselves, so that the seeds can be read.
  size_t choose(size_t count) {
    const auto byte = take<uint8_t>();
    return static_cast<uint8_t>(byte - '0') % count;
  }

  /// The next bytes as a number; zeros where there are no more.
  template <typename T>
  T take() {
    T value{};
    const size_t size = rest_.size() < sizeof value ? rest_.size() : sizeof value;
    if (size > 0) std::memcpy(&value, rest_.data(), size);
    rest_.remove_prefix(size);
    return value;
  }

  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace cloudeasyml::test
