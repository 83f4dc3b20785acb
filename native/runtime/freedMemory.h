// Memory that was freed and that the C library keeps.
#pragma once

// Any header of the C library says which one it is.
#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace cloudeasyml::runtime {

/// Gives freed memory back to the system. Loading a model frees about as much as the model takes,
/// and glibc keeps that for later. Takes some 20 ms for a large heap.
inline void releaseFreedMemory() noexcept {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace cloudeasyml::runtime
