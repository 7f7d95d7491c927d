#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace windlass::base {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "windlass: %s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace windlass::base
