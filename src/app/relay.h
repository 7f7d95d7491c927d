// windlass relay: from Beats and other Lumberjack clients to endpoints.
#pragma once

#include <string>
#include <vector>

#include "app/config_reader.h"

namespace windlass::app {

struct RelayOptions {
  ConfigSources sources;             ///< -c, --to, -E
  std::vector<ListenConfig> listen;  ///< --listen, in the place of relay.listen; none: that
  std::string report;                ///< file for the report, "-" for standard output; empty: none
};

/// Serves clients until SIGINT or SIGTERM, shows progress, writes the report. Prints "listening on URL" for each
/// listener. The first signal ends listening and reading; what clients have handed in is delivered within
/// Config::shutdown_timeout, and acknowledged to them; a second one ends it at once. Returns the program's exit code.
/// Throws ConfigError, and std::exception for addresses, certificates and the like.
int run_relay(const RelayOptions& options);

}  // namespace windlass::app
