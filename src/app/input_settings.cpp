#include "app/input_settings.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <regex>
#include <utility>

#include "app/config_error.h"
#include "app/suggestion.h"
#include "app/units.h"

namespace windlass::app {
namespace {

constexpr auto year = std::chrono::hours(365 * 24);
constexpr std::size_t longest_key = 200;

std::vector<std::string> patterns(const SettingValue& value) {
  std::vector<std::string> result = value.texts();
  for (const std::string& text : result) {
    try {
      static_cast<void>(std::regex(text));
    } catch (const std::regex_error&) {
      value.fail(fmt::format("expected regular expressions, got {}", in_quotes(text)));
    }
  }
  return result;
}

void set_paths(FileInputConfig& input, const SettingValue& value) {
  input.paths = value.texts();
  for (const std::string& path : input.paths)
    if (path.empty()) value.fail("expected paths, got an empty one");
}

void check_encoding(FileInputConfig&, const SettingValue& value) {
  const std::string name = to_lower(trimmed(value.text()));
  if (name != "utf-8" && name != "plain" && !name.empty())
    value.fail(fmt::format("expected utf-8 or plain, got {}; other encodings are not supported", in_quotes(name)));
}

void set_close_inactive(FileInputConfig& input, const SettingValue& value) {
  input.close_inactive = value.duration(std::chrono::milliseconds(1), year);
}
void set_check_interval(FileInputConfig& input, const SettingValue& value) {
  input.check_interval = value.duration(std::chrono::milliseconds(10), year);
}
void set_excluded(FileInputConfig& input, const SettingValue& value) {
  input.excluded = patterns(value);
}
void set_links(FileInputConfig& input, const SettingValue& value) {
  input.links = value.boolean();
}
void set_clean_inactive(FileInputConfig& input, const SettingValue& value) {
  // Filebeat: 0 and less never forget.
  const base::Duration time = value.text() == "-1" ? base::Duration(0) : value.duration({}, year);
  input.clean_inactive = time.count() == 0 ? base::Duration(year) : time;
}

constexpr std::string_view stays_open = "a file is read to its end, whatever it is called meanwhile";
constexpr std::string_view when_changed = "files are looked at when they change";
constexpr std::string_view by_content = "a file is known by its device, its inode and its first bytes";

/// Names of Filebeat's filestream, and of its older log.
const InputSetting table[] = {
    {"type", [](FileInputConfig&, const SettingValue&) {}},
    {"enabled", [](FileInputConfig&, const SettingValue&) {}},
    {"id", nullptr, ""},
    {"paths", set_paths},
    {"exclude_files", set_excluded},
    {"prospector.scanner.exclude_files", set_excluded},
    {"prospector.scanner.include_files",
     [](FileInputConfig& input, const SettingValue& value) { input.included = patterns(value); }},
    {"symlinks", set_links},
    {"prospector.scanner.symlinks", set_links},
    {"scan_frequency", set_check_interval},
    {"prospector.scanner.check_interval", set_check_interval},
    {"ignore_older",
     [](FileInputConfig& input, const SettingValue& value) { input.ignore_older = value.duration({}, year); }},
    {"close_inactive", set_close_inactive},
    {"close.on_state_change.inactive", set_close_inactive},
    {"clean_inactive", set_clean_inactive},
    {"harvester_limit",
     [](FileInputConfig& input, const SettingValue& value) {
       input.harvester_limit = static_cast<std::size_t>(value.integer(0, 100'000));
     }},
    {"encoding", check_encoding},
    {"close_removed", nullptr, stays_open},
    {"close_renamed", nullptr, stays_open},
    {"close_eof", nullptr, stays_open},
    {"close_timeout", nullptr, stays_open},
    {"close.on_state_change.removed", nullptr, stays_open},
    {"close.on_state_change.renamed", nullptr, stays_open},
    {"close.on_state_change.check_interval", nullptr, when_changed},
    {"close.reader.on_eof", nullptr, stays_open},
    {"close.reader.after_interval", nullptr, stays_open},
    {"clean_removed", nullptr, "clean_inactive says when a file that is gone is forgotten"},
    {"backoff", nullptr, when_changed},
    {"max_backoff", nullptr, when_changed},
    {"backoff.init", nullptr, when_changed},
    {"backoff.max", nullptr, when_changed},
    {"recursive_glob.enabled", nullptr, "** is always understood"},
    {"prospector.scanner.recursive_glob", nullptr, "** is always understood"},
    {"prospector.scanner.fingerprint.enabled", nullptr, by_content},
    {"prospector.scanner.resend_on_touch", nullptr, by_content},
    {"max_bytes", nullptr, "a line may have 1 MiB"},
    {"message_max_bytes", nullptr, "a line may have 1 MiB"},
};

std::string shown(const std::string& key) {
  return printable(key, longest_key);
}

/// Nested keys as dotted ones.
void flatten(const std::string& prefix, const YamlNode& node, std::vector<YamlPair>& to) {
  for (const YamlPair& pair : node.pairs) {
    const std::string key = prefix.empty() ? pair.key : prefix + '.' + pair.key;
    if (pair.value.kind == YamlNode::Kind::map && !pair.value.pairs.empty())
      flatten(key, pair.value, to);
    else
      to.push_back({key, pair.value});
  }
}

void apply(FileInputConfig& input, const std::string& section, const YamlPair& pair, bool of_filebeat,
           std::vector<std::string>& warnings) {
  const std::string key = section + '.' + pair.key;
  const auto setting =
      std::ranges::find_if(table, [&](const InputSetting& candidate) { return candidate.key == pair.key; });
  if (setting == std::end(table)) {
    std::vector<std::string_view> names;
    for (const InputSetting& known : table) names.push_back(known.key);
    if (!of_filebeat) throw ConfigError(pair.value.place, shown(key), "unknown setting" + suggestion(pair.key, names));
    warnings.push_back(fmt::format("{}: {} has no effect", pair.value.place.text(), shown(key)));
  } else if (pair.value.kind == YamlNode::Kind::null) {
    return;  // as if it were not there
  } else if (setting->apply != nullptr) {
    setting->apply(input, SettingValue(key, pair.value));
  } else if (!setting->unused.empty()) {
    warnings.push_back(fmt::format("{}: {} has no effect: {}", pair.value.place.text(), shown(key), setting->unused));
  }
}

}  // namespace

std::span<const InputSetting> input_settings() {
  return table;
}

std::vector<FileInputConfig> read_inputs(const std::string& key, const YamlNode& node, bool of_filebeat,
                                         std::vector<std::string>& warnings) {
  std::vector<FileInputConfig> result;
  if (node.kind == YamlNode::Kind::null) return result;
  if (node.kind != YamlNode::Kind::list) throw ConfigError(node.place, key, "expected a list of inputs");
  const auto refuse = [&](const Place& place, const std::string& problem) {
    if (!of_filebeat) throw ConfigError(place, key, problem);
    warnings.push_back(fmt::format("{}: an input of {} is not used: {}", place.text(), key, problem));
  };
  for (const YamlNode& item : node.items) {
    if (item.kind != YamlNode::Kind::map) {
      refuse(item.place, "expected a section with type and paths");
      continue;
    }
    std::vector<YamlPair> pairs;
    flatten({}, item, pairs);
    const auto find = [&](std::string_view name) {
      return std::ranges::find_if(pairs, [&](const YamlPair& pair) { return pair.key == name; });
    };
    if (const auto enabled = find("enabled"); enabled != pairs.end() && enabled->value.kind != YamlNode::Kind::null &&
                                              !SettingValue(key + ".enabled", enabled->value).boolean())
      continue;
    const auto type = find("type");
    const std::string name = type == pairs.end() ? "file" : SettingValue(key + ".type", type->value).text();
    constexpr std::array<std::string_view, 3> types{"file", "filestream", "log"};
    if (std::ranges::find(types, name) == types.end()) {
      refuse(type->value.place, fmt::format("expected the type file, filestream or log, got {}", in_quotes(name)));
      continue;
    }
    FileInputConfig input;
    input.links = name == "file";
    for (const YamlPair& pair : pairs) apply(input, key, pair, of_filebeat, warnings);
    if (input.paths.empty()) {
      refuse(item.place, "expected paths");
      continue;
    }
    result.push_back(std::move(input));
  }
  return result;
}

}  // namespace windlass::app
