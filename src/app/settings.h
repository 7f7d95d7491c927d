// The one table of settings. Files, -E and URLs all go through it, so names, rules and messages are the same
// everywhere.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/output.h"
#include "app/setting_value.h"

namespace windlass::app {

/// An output while its settings come in.
struct OutputDraft {
  explicit OutputDraft(OutputType type) : output(default_output(type)) {}

  OutputConfig output;
  net::TlsOptions tls;
  std::optional<bool> tls_enabled;      ///< ssl.enabled
  std::optional<bool> tls_of_hosts;     ///< hosts that are URLs, http:// or https://
  std::optional<bool> tls_of_protocol;  ///< `protocol`
  bool tls_mentioned = false;           ///< any ssl.*, which by itself enables TLS, as in Filebeat
  std::string path_of_hosts;            ///< of hosts that are URLs; it goes before `path`
  std::string directory;                ///< of a file output; its path holds the name alone until all is read
  std::vector<std::string> warnings;

  /// As far as settings have come in.
  bool has_tls() const { return tls_of_hosts.value_or(tls_of_protocol.value_or(tls_enabled.value_or(tls_mentioned))); }
};

/// A setting of an output, named by what follows "output.TYPE." or stands in a URL's query.
struct OutputSetting {
  std::string_view key;
  /// Reads the value. Throws ConfigError. None: the value is accepted without effect.
  void (*apply)(OutputDraft&, const SettingValue&);
  /// Where the setting may stand in a URL.
  enum class Urls { nowhere, to, to_and_listen } urls = Urls::to;
  /// Why it has no effect, for a warning; only without `apply` and `apply_entry`.
  std::string_view unused = {};
  /// The outputs that have it. A key may stand in the table several times, for different ones.
  unsigned outputs = with_hosts;
  /// In place of `apply` for a section whose names are the user's: reads one entry of it ("headers.X-Name").
  void (*apply_entry)(OutputDraft&, std::string_view name, const SettingValue&) = nullptr;

  template <class... Types>
  static constexpr unsigned only(Types... types) {
    return ((1u << static_cast<unsigned>(types)) | ...);
  }
  static constexpr unsigned all_outputs = ~0u;
  static constexpr unsigned with_hosts = ~(1u << unsigned(OutputType::file) | 1u << unsigned(OutputType::console));
  bool of(OutputType type) const { return (outputs >> static_cast<unsigned>(type) & 1u) != 0; }
};
/// What an output of that type has of that name, or the section that holds an entry of that name; null: nothing.
const OutputSetting* find_output_setting(OutputType type, std::string_view key);
/// All that it has.
std::vector<std::string_view> output_setting_names(OutputType type);
/// Reads the value of a setting that was found by `key`. Throws ConfigError. False: it has no effect.
bool apply(const OutputSetting& setting, std::string_view key, OutputDraft& draft, const SettingValue& value);

/// A setting outside of outputs, named in full.
struct GeneralSetting {
  std::string_view key;
  void (*apply)(Config&, const SettingValue&);
  std::string_view unused = {};
};
std::span<const GeneralSetting> general_settings();

/// Another name of a setting: an older one of Filebeat's, or ours for one of Filebeat's.
std::string_view canonical_output_key(std::string_view key);

/// Names of outputs that Filebeat has and Windlass does not have yet.
std::span<const std::string_view> unsupported_outputs();

}  // namespace windlass::app
