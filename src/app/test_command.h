// windlass test config, windlass test output: is what I have configured right?
#pragma once

#include "app/config_reader.h"

namespace windlass::app {

struct TestOptions {
  enum class What {
    config,  ///< reads and checks it
    output,  ///< and tries each endpoint, step by step (probe.h)
  } what = What::config;
  ConfigSources sources;
  bool send_event = false;  ///< output: one event that is marked as a test is sent to each endpoint
  bool json = false;        ///< output: what is found as one JSON object instead of text
};

/// Prints what it finds on standard output. Returns the exit code: exit_incomplete when an endpoint failed. Throws
/// ConfigError.
///
/// The JSON object: passed, endpoints [{endpoint, passed, steps [{step, result, text, details [TEXT], hint, ms}]}]; the
/// results are those of to_string(ProbeStep::Result); details, hint and ms only where there are any.
int run_test(const TestOptions& options);

}  // namespace windlass::app
