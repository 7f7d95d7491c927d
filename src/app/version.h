// windlass version
#pragma once

#include <string>

namespace windlass::app {

/// "windlass 0.1.0", with a newline at its end.
std::string version_text();

/// Prints it. Returns the exit code.
int run_version();

}  // namespace windlass::app
