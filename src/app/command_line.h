// The command line: what the user asks for, as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/config_reader.h"
#include "base/time.h"

namespace windlass::app {

/// windlass ship
struct ShipOptions {
  ConfigSources sources;            ///< -c, --to, -E
  std::vector<std::string> inputs;  ///< files; "-" is standard input; none: those of the configuration
  bool json = false;                ///< each line is a JSON object already
  std::string report;               ///< file for the report, "-" for standard output; empty: none
};

/// windlass sink
struct SinkOptions {
  std::vector<std::string> listen;  ///< URLs, at least one
  std::string record;  ///< file for what is received, an event a line, "-" for standard output; empty: none
  std::string report;  ///< as in ShipOptions

  /// What the sink does wrong on purpose. Unset: nothing.
  struct Faults {
    base::Duration delay{0};                   ///< before each acknowledgement
    double rate = 0;                           ///< events a second that are acknowledged at most; 0: no limit
    std::optional<std::uint64_t> close_after;  ///< events after which a connection is closed, without acknowledgement
    std::optional<std::uint32_t> ack_partial;  ///< acknowledge this many events of a window, then close
    bool keepalive_only = false;               ///< never acknowledge; say only that it lives
    base::Duration refuse_for{0};              ///< listen only after this time
    bool reset = false;                        ///< close connections by RST
  } faults;
};

/// windlass test config, windlass test output
struct TestOptions {
  enum class What { config, output } what = What::config;
  ConfigSources sources;
};

/// windlass version
struct VersionOptions {};

/// Nothing is left to do but to say this (help, or what is wrong with the command line) and to exit.
struct Exit {
  int code = 0;  ///< 0: the text is for standard output; else for standard error
  std::string text;
};

using Command = std::variant<ShipOptions, SinkOptions, TestOptions, VersionOptions, Exit>;

/// Reads the arguments. Throws nothing: what is wrong becomes an Exit with exit_usage.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace windlass::app
