// The section `inputs`, and Filebeat's `filebeat.inputs`: files that are followed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/setting_value.h"

namespace windlass::app {

/// A setting of an input, by its whole name below the input.
struct InputSetting {
  std::string_view key;
  void (*apply)(FileInputConfig&, const SettingValue&);  ///< none: accepted without effect
  std::string_view unused = {};
};
std::span<const InputSetting> input_settings();

/// Reads a list of inputs. Throws ConfigError. In Filebeat's section (`of_filebeat`), what Windlass does not have is a
/// warning that it has no effect; in our own it is an error.
std::vector<FileInputConfig> read_inputs(const std::string& key, const YamlNode& node, bool of_filebeat,
                                         std::vector<std::string>& warnings);

}  // namespace windlass::app
