// Counts what the whole program asks of the heap. Linked into an executable of its own.
#pragma once

#include <cstddef>

namespace windlass::test {

/// Calls of operator new since the start of the program, by all threads.
std::size_t allocations() noexcept;
/// Bytes that operator new has given and operator delete has not got back.
std::size_t bytes_in_use() noexcept;

}  // namespace windlass::test
