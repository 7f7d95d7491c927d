// The command line: what the user asks for, as plain data.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "app/config_reader.h"
#include "app/queue_command.h"
#include "app/relay.h"
#include "app/sink.h"
#include "app/test_command.h"

namespace windlass::app {

/// windlass ship
struct ShipOptions {
  ConfigSources sources;            ///< -c, --to, -E
  std::vector<std::string> inputs;  ///< files; "-" is standard input; none: those of the configuration
  bool once = false;                ///< files of `inputs` are read to their ends, and not followed
  bool json = false;                ///< each line is a JSON object already
  std::string report;               ///< file for the report, "-" for standard output; empty: none
};

/// windlass version
struct VersionOptions {};

/// Nothing is left to do but to say this (help, or what is wrong with the command line) and to exit.
struct Exit {
  int code = 0;  ///< 0: the text is for standard output; else for standard error
  std::string text;
};

using Command = std::variant<ShipOptions, RelayOptions, SinkOptions, TestOptions, QueueOptions, VersionOptions, Exit>;

/// Reads the arguments. Throws ConfigError for a --listen that is no URL to listen on; all else that is wrong becomes
/// an Exit with exit_usage.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace windlass::app
