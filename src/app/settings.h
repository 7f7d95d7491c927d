// The one table of settings. Files, -E and URLs all go through it, so names, rules and messages are the same
// everywhere.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/setting_value.h"

namespace windlass::app {

/// An output while its settings come in.
struct OutputDraft {
  OutputConfig output;
  net::TlsOptions tls;
  std::optional<bool> tls_enabled;  ///< ssl.enabled
  bool tls_mentioned = false;       ///< any ssl.*, which by itself enables TLS, as in Filebeat
  std::vector<std::string> warnings;
};

/// A setting of an output, named by what follows "output.TYPE." or stands in a URL's query.
struct OutputSetting {
  std::string_view key;
  /// Reads the value. Throws ConfigError. None: the value is accepted without effect.
  void (*apply)(OutputDraft&, const SettingValue&);
  /// Where the setting may stand in a URL.
  enum class Urls { nowhere, to, to_and_listen } urls = Urls::to;
  /// Why it has no effect, for a warning; only without `apply`.
  std::string_view unused = {};
};
std::span<const OutputSetting> output_settings();

/// A setting outside of outputs, named in full.
struct GeneralSetting {
  std::string_view key;
  void (*apply)(Config&, const SettingValue&);
  std::string_view unused = {};
};
std::span<const GeneralSetting> general_settings();

/// Another name of a setting: an older one of Filebeat's, or ours for one of Filebeat's.
std::string_view canonical_output_key(std::string_view key);

/// The output of that name as Filebeat names them, or as URLs do ("logstash" and "lumberjack" are one).
std::optional<OutputType> output_type(std::string_view name);
/// Names of outputs that Filebeat has and Windlass does not have yet.
std::span<const std::string_view> unsupported_outputs();

/// The port where none is given.
std::uint16_t default_port(OutputType type);

}  // namespace windlass::app
