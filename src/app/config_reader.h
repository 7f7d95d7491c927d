// From a file, -E and --to to a checked Config.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/config_error.h"

namespace windlass::app {

/// Where the configuration comes from; what comes later wins.
struct ConfigSources {
  /// A YAML file. An output section of a filebeat.yml works in it as it is; keys may be nested or dotted.
  std::optional<std::string> file;
  /// --to URLs, which take the place of the file's output section. Several must have one scheme; each parameter holds
  /// for all of them.
  std::vector<std::string> to;
  /// "output.logstash.timeout=5s". A value that begins with [, {, " or ' is YAML, any other is a text as it stands.
  std::vector<std::string> overrides;
};

/// Reads and checks everything. Throws ConfigError, which names place, key and what was expected. Unknown keys are
/// errors within sections that are ours; other sections of a filebeat.yml are accepted with a warning.
Config read_config(const ConfigSources& sources);

/// As read_config, with the text of the file in hand (it may be empty); `name` stands for it in messages.
Config read_config_text(std::string_view text, const std::string& name, const std::vector<std::string>& to,
                        const std::vector<std::string>& overrides);

}  // namespace windlass::app
