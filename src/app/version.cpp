#include "app/version.h"

#include <fmt/format.h>

#include "app/exit_code.h"

namespace windlass::app {

std::string version_text() {
  return fmt::format("windlass {}\n", WINDLASS_VERSION);
}

int run_version() {
  fmt::print("{}", version_text());
  return exit_all_acked;
}

}  // namespace windlass::app
