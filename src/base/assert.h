// Assertions that stay on in production: they state what must be true of our own code. What the world can cause (input,
// peers, the system) is handled, never asserted.
#pragma once

namespace windlass::base {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define WINDLASS_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : ::windlass::base::assertion_failed(#condition, __FILE__, __LINE__))
