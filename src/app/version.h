// windlass version
#pragma once

#include <string>

namespace windlass::app {

/// "windlass 0.1.0", and the libraries that matter when something is to be explained, in a line each.
std::string version_text();

/// Prints it. Returns the exit code.
int run_version();

}  // namespace windlass::app
