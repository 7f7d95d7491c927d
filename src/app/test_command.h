// windlass test config, windlass test output: is what I have configured right?
#pragma once

#include "app/config_reader.h"

namespace windlass::app {

struct TestOptions {
  enum class What {
    config,  ///< reads and checks it
    output,  ///< and connects to each host, without sending anything
  } what = What::config;
  ConfigSources sources;
};

/// Prints what it finds on standard output. Returns the exit code: exit_incomplete when a host could not be connected.
/// Throws ConfigError.
int run_test(const TestOptions& options);

}  // namespace windlass::app
