#include "runtime/allocator.h"

#include <cstdlib>
#include <cstring>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "generated/constants.h"

namespace cloudeasyml::runtime {

namespace {

// V8 frees unreachable typed arrays all at once, when they take 32 MB.
[[maybe_unused]] constexpr int kKeptBytes = 64 << 20;

[[maybe_unused]] bool isSetUpByEnvironment() noexcept {
  const char* tunables = std::getenv("GLIBC_TUNABLES");
  return std::getenv("MALLOC_TRIM_THRESHOLD_") || std::getenv("MALLOC_MMAP_THRESHOLD_") ||
         (tunables && std::strstr(tunables, "glibc.malloc"));
}

}  // namespace

void keepFreedMemory() noexcept {
#ifdef __GLIBC__
  if (isSetUpByEnvironment()) return;
  mallopt(M_MMAP_THRESHOLD, static_cast<int>(OutputMemory::kReusableBytes));
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
#endif
}

}  // namespace cloudeasyml::runtime
