// windlass ship: from files and standard input to endpoints.
#pragma once

#include "app/command_line.h"

namespace windlass::app {

/// Ships everything, shows progress, writes the report. Returns the program's exit code. SIGINT and SIGTERM make it
/// stop reading and deliver what was read within Config::shutdown_timeout; a second one ends it at once. Throws
/// ConfigError, and std::exception for certificates and the like.
int run_ship(const ShipOptions& options);

}  // namespace windlass::app
