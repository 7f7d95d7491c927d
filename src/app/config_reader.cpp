#include "app/config_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "app/hosts.h"
#include "app/input_settings.h"
#include "app/setting_value.h"
#include "app/settings.h"
#include "app/suggestion.h"
#include "app/target.h"
#include "app/text_file.h"
#include "app/yaml_tree.h"
#include "base/assert.h"

namespace windlass::app {
namespace {

constexpr std::string_view output_prefix = "output.";
constexpr std::size_t longest_key = 200;

/// Sections that are Windlass's own: a key in them that is not known is an error.
constexpr std::string_view own_sections[] = {
    "output", "queue", "inputs", "registry", "relay", "paths", "progress_timeout", "dead_letter", "shutdown_timeout"};
/// Sections of a filebeat.yml, which are accepted without effect.
constexpr std::string_view foreign_sections[] = {"filebeat",
                                                 "setup",
                                                 "processors",
                                                 "logging",
                                                 "monitoring",
                                                 "xpack",
                                                 "http",
                                                 "cloud",
                                                 "name",
                                                 "tags",
                                                 "fields",
                                                 "path",
                                                 "max_procs",
                                                 "features",
                                                 "keystore",
                                                 "seccomp",
                                                 "timestamp",
                                                 "migration",
                                                 "modules",
                                                 "management",
                                                 "instrumentation",
                                                 "fields_under_root",
                                                 "max_start_delay",
                                                 "metricbeat",
                                                 "gc_percent"};

/// A value with the path that it was given for.
struct Entry {
  std::string key;  // as the user wrote it
  YamlNode node;
};
/// By canonical path: "output.logstash.worker" however it was written.
using Entries = std::map<std::string, Entry>;

std::string first_part(std::string_view path) {
  return std::string(path.substr(0, path.find('.')));
}

std::string canonical(const std::string& key) {
  if (!key.starts_with(output_prefix)) return key;
  const std::string_view rest = std::string_view(key).substr(output_prefix.size());
  const std::string_view type = rest.substr(0, rest.find('.'));
  const OutputTraits* output = find_output(type);
  const std::string_view canonical_type = output != nullptr ? output->name : type;
  // Newer versions of Filebeat have the queue inside of the output.
  if (output != nullptr && rest.substr(type.size()).starts_with(".queue."))
    return std::string(rest.substr(type.size() + 1));
  if (type.size() == rest.size()) return fmt::format("{}{}", output_prefix, canonical_type);
  return fmt::format("{}{}.{}", output_prefix, canonical_type, canonical_output_key(rest.substr(type.size() + 1)));
}

std::string shown(const std::string& key) {
  return printable(key, longest_key);
}

/// Adds what one source says; a path that it gives twice (nested and dotted, say) is an error.
class Layer {
 public:
  explicit Layer(Entries& entries) : entries_(entries) {}

  void add(const std::string& key, const YamlNode& node) {
    if (key.size() > longest_key) throw ConfigError(node.place, {}, fmt::format("unknown key {}", in_quotes(key)));
    if (node.kind == YamlNode::Kind::map && !node.pairs.empty()) {
      for (const auto& [name, value] : node.pairs) add(key.empty() ? name : key + '.' + name, value);
      return;
    }
    const std::string path = canonical(key);
    const auto [given, is_new] = given_.try_emplace(path, node.place);
    if (!is_new)
      throw ConfigError(node.place, shown(key), fmt::format("given twice; first at {}", given->second.text()));
    entries_.insert_or_assign(path, Entry{key, node});
  }

 private:
  Entries& entries_;
  std::map<std::string, Place> given_;
};

void add_override(const std::string& option, Layer& layer) {
  const auto equals = option.find('=');
  const std::string key = option.substr(0, equals);
  const std::string source = key.empty() ? "-E" : "-E " + shown(key);
  if (key.empty() || equals == std::string::npos)
    throw ConfigError({source}, {}, fmt::format("expected key=value, got {}", in_quotes(key)));
  const std::string value = option.substr(equals + 1);
  if (value.empty()) return layer.add(key, YamlNode{YamlNode::Kind::null, {source}, {}, {}, {}});
  if (std::string_view("[{\"'").find(value[0]) != std::string_view::npos) {
    YamlNode node = parse_yaml(value, source);
    // A line and a column of an argument help nobody, and the place is to be "-E key".
    const std::function<void(YamlNode&)> forget_lines = [&](YamlNode& part) {
      part.place = Place{source};
      for (YamlNode& item : part.items) forget_lines(item);
      for (YamlPair& pair : part.pairs) forget_lines(pair.value);
    };
    forget_lines(node);
    return layer.add(key, node);
  }
  layer.add(key, YamlNode{YamlNode::Kind::scalar, {source}, value, {}, {}});
}

/// Puts what --to says in the place of the file's output section.
void add_targets(const std::vector<std::string>& urls, Entries& entries, std::vector<std::string>& warnings) {
  const Target target = parse_targets(urls);
  std::optional<Place> replaced;
  std::erase_if(entries, [&](const auto& entry) {
    if (first_part(entry.first) != "output") return false;
    if (!replaced) replaced = entry.second.node.place;
    return true;
  });
  if (replaced) warnings.push_back(replaced->text() + ": output is not used, as --to is given");

  const OutputTraits& traits = traits_of(target.type);
  const std::string prefix = fmt::format("{}{}.", output_prefix, traits.name);
  const auto scalar = [&](std::string text) {
    return YamlNode{YamlNode::Kind::scalar, target.place, std::move(text), {}, {}};
  };
  const auto set = [&](const std::string& key, std::string text) {
    entries[prefix + key] = {key, scalar(std::move(text))};
  };
  set("enabled", "true");
  if (traits.hosts) {
    if (!target.hosts.empty()) set("hosts", target.hosts);
    set("ssl.enabled", target.tls ? "true" : "false");
    // Who names several hosts on the command line wants them used.
    set("loadbalance", "true");
  }
  // Who names a file wants all of it.
  if (target.type == OutputType::file) set("rotate_every_kb", "0");
  if (target.user) {
    set("username", target.user->name);
    set("password", target.user->password);
  }
  if (!target.path.empty()) set(std::string(traits.path_setting), target.path);
  for (const auto& [key, value] : target.parameters) {
    const OutputSetting* setting = find_output_setting(target.type, key);
    if (setting != nullptr && setting->urls == OutputSetting::Urls::nowhere)
      throw ConfigError(target.place, key, "not for a URL");
    if (key.starts_with("ssl.") && !target.tls)
      throw ConfigError(target.place, shown(key), fmt::format("expected {}:// for TLS", scheme_of(target.type, true)));
    entries[prefix + std::string(canonical_output_key(key))] = {key, scalar(value)};
  }
}

/// An output as files have it, from its canonical name.
std::string_view name_in_file(std::string_view name) {
  const OutputTraits* output = find_output(name);
  return output != nullptr ? output->in_file : name;
}

std::string supported_outputs() {
  std::vector<std::string_view> names;
  for (const OutputTraits& output : outputs()) names.push_back(output.in_file);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// The one output that is enabled, as it is called in the paths of entries.
std::string select_output(const Entries& entries, const Place& whole) {
  std::map<std::string, Place> enabled;
  for (const auto& [path, entry] : entries) {
    if (first_part(path) != "output") continue;
    if (path.size() <= output_prefix.size()) {
      if (entry.node.kind == YamlNode::Kind::null || entry.node.kind == YamlNode::Kind::map) continue;
      throw ConfigError(entry.node.place, entry.key, "expected a section such as output.logstash");
    }
    const std::string name = first_part(std::string_view(path).substr(output_prefix.size()));
    const auto unsupported = unsupported_outputs();
    if (find_output(name) == nullptr && std::find(unsupported.begin(), unsupported.end(), name) == unsupported.end()) {
      std::vector<std::string_view> names(unsupported.begin(), unsupported.end());
      for (const OutputTraits& output : outputs()) names.push_back(output.in_file);
      throw ConfigError(entry.node.place, shown(entry.key),
                        fmt::format("unknown output; supported: {}{}", supported_outputs(), suggestion(name, names)));
    }
    const auto switched = entries.find(fmt::format("{}{}.enabled", output_prefix, name));
    if (switched == entries.end() || switched->second.node.kind == YamlNode::Kind::null ||
        SettingValue(switched->second.key, switched->second.node).boolean())
      enabled.try_emplace(name, entry.node.place);
  }
  if (enabled.empty())
    throw ConfigError(whole, {}, "no output is enabled; expected output.logstash.hosts, or --to URL");
  if (enabled.size() > 1) {
    std::vector<std::string> names;
    for (const auto& [name, place] : enabled)
      names.push_back(fmt::format("{} (at {})", name_in_file(name), place.text()));
    throw ConfigError(enabled.begin()->second, "output",
                      fmt::format("expected one output that is enabled, got {}", fmt::join(names, " and ")));
  }
  const auto& [name, place] = *enabled.begin();
  if (find_output(name) == nullptr)
    throw ConfigError(place, "output", fmt::format("not supported yet: {}; supported: {}", name, supported_outputs()));
  return name;
}

void warn_unused(const Entry& entry, std::string_view why, std::vector<std::string>& warnings) {
  warnings.push_back(fmt::format("{}: {} has no effect: {}", entry.node.place.text(), shown(entry.key), why));
}

void apply_output_setting(const Entry& entry, std::string_view name, OutputDraft& draft,
                          std::vector<std::string>& warnings) {
  const OutputType type = draft.output.type;
  const OutputSetting* setting = find_output_setting(type, name);
  if (setting == nullptr)
    throw ConfigError(entry.node.place, shown(entry.key),
                      "unknown setting" + suggestion(name, output_setting_names(type)));
  if (name.starts_with("ssl.")) draft.tls_mentioned = true;
  if (entry.node.kind == YamlNode::Kind::null) return;  // as if it were not there
  if (!apply(*setting, name, draft, SettingValue(entry.key, entry.node))) warn_unused(entry, setting->unused, warnings);
}

OutputConfig read_output(const Entries& entries, const std::string& name, std::vector<std::string>& warnings) {
  const std::string prefix = fmt::format("{}{}", output_prefix, name);
  OutputDraft draft(find_output(name)->type);
  const Entry* any = nullptr;
  const Entry* hosts = nullptr;
  for (auto at = entries.lower_bound(prefix); at != entries.end() && at->first.starts_with(prefix); ++at) {
    const auto& [path, entry] = *at;
    if (path.size() > prefix.size() && path[prefix.size()] != '.') continue;  // of a type with a longer name
    any = &entry;
    if (path == prefix + ".hosts") {
      hosts = &entry;
    } else if (path.size() > prefix.size()) {
      apply_output_setting(entry, std::string_view(path).substr(prefix.size() + 1), draft, warnings);
    } else if (entry.node.kind == YamlNode::Kind::scalar || entry.node.kind == YamlNode::Kind::list) {
      throw ConfigError(entry.node.place, entry.key, "expected a section with hosts in it");
    }
  }

  WINDLASS_ASSERT(any);  // the output was selected because of an entry
  const auto fail = [&](std::string_view setting, const std::string& problem) {
    const auto at = entries.find(fmt::format("{}.{}", prefix, setting));
    const Entry& blamed = at == entries.end() ? *any : at->second;
    throw ConfigError(blamed.node.place,
                      at == entries.end() ? fmt::format("output.{}.{}", name_in_file(name), setting) : blamed.key,
                      problem);
  };
  std::move(draft.warnings.begin(), draft.warnings.end(), std::back_inserter(warnings));
  OutputConfig& output = draft.output;
  // Last, as TLS decides which port a host has that names none.
  if (hosts != nullptr) apply_output_setting(*hosts, "hosts", draft, warnings);
  if (!draft.path_of_hosts.empty()) draft.output.request.path = draft.path_of_hosts;
  const bool tls = draft.has_tls();
  if (!output.hosts_file.empty()) {
    const std::vector<Host> found = read_hosts_file(output.hosts_file, default_port(output.type, tls));
    output.hosts.insert(output.hosts.end(), found.begin(), found.end());
    output.hosts_in_file = found.size();
  }
  if (traits_of(output.type).hosts && output.hosts.empty()) fail("hosts", "expected at least one host");
  if (output.type == OutputType::redis && output.redis.key.empty())
    fail("key", "expected the name of a list, channel or stream");
  if (output.type == OutputType::file) {
    if (draft.directory.empty() && output.file.path.empty()) fail("path", "expected the directory of the file");
    if (output.file.path.empty()) output.file.path = "windlass";
    output.file.path = std::filesystem::path(draft.directory) / output.file.path;
  }
  if (output.backoff.init > output.backoff.max) fail("backoff.init", "expected not more than backoff.max");
  const HttpRequestOptions& request = output.request;
  if (int(!output.username.empty()) + int(!request.bearer_token.empty()) + int(!request.api_key.empty()) > 1)
    fail("username", "expected one of username, bearer_token and api_key");
  if (draft.tls.certificate.empty() != draft.tls.key.empty())
    fail(draft.tls.key.empty() ? "ssl.certificate" : "ssl.key",
         "expected both ssl.certificate and ssl.key, or neither");
  if (tls) output.tls = std::move(draft.tls);
  return output;
}

/// Everything outside of outputs.
void read_general(const Entries& entries, Config& config) {
  const auto settings = general_settings();
  std::vector<std::string_view> names;
  for (const GeneralSetting& setting : settings) names.push_back(setting.key);
  std::string last_foreign;
  for (const auto& [path, entry] : entries) {
    const std::string section = first_part(path);
    if (section == "output") continue;
    if (path == "inputs" || path == "filebeat.inputs") {
      if (!config.inputs.empty()) throw ConfigError(entry.node.place, entry.key, "expected one list of inputs");
      config.inputs = read_inputs(entry.key, entry.node, path != "inputs", config.warnings);
      continue;
    }
    const auto setting = std::find_if(settings.begin(), settings.end(),
                                      [&path = path](const GeneralSetting& known) { return known.key == path; });
    if (setting != settings.end()) {
      if (entry.node.kind == YamlNode::Kind::null) continue;
      if (setting->apply != nullptr)
        setting->apply(config, SettingValue(entry.key, entry.node));
      else
        warn_unused(entry, setting->unused, config.warnings);
      continue;
    }
    const bool own = std::ranges::find(own_sections, section) != std::end(own_sections);
    if (own && path == section && (entry.node.kind == YamlNode::Kind::null || entry.node.kind == YamlNode::Kind::map))
      continue;
    if (path.starts_with("queue.spool"))
      throw ConfigError(entry.node.place, shown(entry.key), "not supported; the queue on disk is queue.disk");
    // A section of settings that are all left at their defaults.
    if (path == "queue.disk" && (entry.node.kind == YamlNode::Kind::null || entry.node.kind == YamlNode::Kind::map))
      continue;
    if (own) throw ConfigError(entry.node.place, shown(entry.key), "unknown setting" + suggestion(path, names));
    const bool foreign = std::ranges::find(foreign_sections, section) != std::end(foreign_sections);
    if (!foreign) {
      const std::string hint = suggestion(section, {std::begin(own_sections), std::end(own_sections)});
      if (!hint.empty()) throw ConfigError(entry.node.place, shown(entry.key), "unknown setting" + hint);
    }
    if (section == last_foreign) continue;
    last_foreign = section;
    config.warnings.push_back(fmt::format("{}: {} is not used by Windlass", entry.node.place.text(), shown(section)));
  }
}

void check_disk_queue(const Entries& entries, const Config& config) {
  if (!config.queue.disk) return;
  const DiskQueueOptions& disk = *config.queue.disk;
  const auto& [path, entry] = *entries.lower_bound("queue.disk.");
  if (disk.path.empty())
    throw ConfigError(entry.node.place, "queue.disk.path", "expected the directory of the queue on disk");
  if (disk.segment_size > disk.max_size / 2)
    throw ConfigError(entries.at("queue.disk.segment_size").node.place, "queue.disk.segment_size",
                      "expected not more than half of queue.disk.max_size");
}

Config assemble(Entries entries, const std::vector<std::string>& to, const std::vector<std::string>& overrides,
                const Place& whole) {
  Config config;
  if (!to.empty()) add_targets(to, entries, config.warnings);
  for (const std::string& option : overrides) {
    // Each is a source of its own: a later one wins.
    Layer layer(entries);
    add_override(option, layer);
  }
  config.output = read_output(entries, select_output(entries, whole), config.warnings);
  read_general(entries, config);
  check_disk_queue(entries, config);
  return config;
}

}  // namespace

Config read_config_text(std::string_view text, const std::string& name, const std::vector<std::string>& to,
                        const std::vector<std::string>& overrides) {
  const YamlNode root = parse_yaml(text, name);
  Entries entries;
  if (root.kind == YamlNode::Kind::map) {
    Layer layer(entries);
    for (const auto& [key, value] : root.pairs) layer.add(key, value);
  } else if (root.kind != YamlNode::Kind::null) {
    throw ConfigError(root.place, {}, "expected sections such as output.logstash");
  }
  return assemble(std::move(entries), to, overrides, Place{name});
}

Config read_config(const ConfigSources& sources) {
  if (sources.file)
    return read_config_text(read_text_file(*sources.file, max_yaml_bytes), printable(*sources.file, longest_key),
                            sources.to, sources.overrides);
  return assemble({}, sources.to, sources.overrides, Place{"command line"});
}

}  // namespace windlass::app
