// The process's memory allocator.
#pragma once

namespace cloudeasyml::runtime {

/// Has the allocator keep some of the memory that is freed. Outputs are allocated and freed in
/// numbers, and to get memory from the system again costs more than a copy of what it holds. Does
/// nothing where the environment sets the allocator up, or it is not glibc's.
void keepFreedMemory() noexcept;

}  // namespace cloudeasyml::runtime
