// The process's memory allocator.
#pragma once

namespace cloudeasyml::runtime {

/// Makes the allocator keep some freed memory. Outputs are allocated and freed all the time, and
/// getting memory from the system costs more than copying what it holds. Does nothing where the
/// environment configures the allocator, or it is not glibc's.
void keepFreedMemory() noexcept;

}  // namespace cloudeasyml::runtime
