#include "app/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <stdexcept>

#include "app/hosts.h"
#include "app/target.h"
#include "app/units.h"
#include "net/proxy.h"
#include "wire/bulk.h"
#include "wire/http.h"

namespace windlass::app {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using Urls = OutputSetting::Urls;

constexpr auto year = hours(365 * 24);

/// Takes "http://" or "https://" and a path from `word`; all hosts have to agree.
void strip_url(std::string& word, OutputDraft& draft, const SettingValue& value) {
  const auto colon = word.find("://");
  if (colon == std::string::npos) return;
  const std::string scheme = to_lower(std::string_view(word).substr(0, colon));
  const bool over_http = draft.output.type == OutputType::http || draft.output.type == OutputType::elasticsearch;
  if (!over_http) value.fail(fmt::format("expected host or host:port without a scheme, got {}", in_quotes(word)));
  if (scheme != "http" && scheme != "https")
    value.fail(fmt::format("expected host:port, http://host:port or https://host:port, got {}", in_quotes(word)));
  const bool tls = scheme == "https";
  word.erase(0, colon + 3);
  if (word.find('@') != std::string::npos) value.fail("expected user and password in settings of their own");
  const auto slash = std::min(word.find('/'), word.size());
  const std::string path = word.substr(slash);
  word.resize(slash);
  if (draft.tls_of_hosts && *draft.tls_of_hosts != tls)
    value.fail("expected http:// for all hosts, or https:// for all");
  draft.tls_of_hosts = tls;
  if (path.size() <= 1) return;
  if (!draft.path_of_hosts.empty() && draft.path_of_hosts != path) value.fail("expected the same path for all hosts");
  draft.path_of_hosts = path;
}

void set_hosts(OutputDraft& draft, const SettingValue& value) {
  std::vector<Host>& result = draft.output.hosts;
  std::vector<std::string> words = value.words();
  for (std::string& word : words) {
    const auto mark = std::min(word.find('?'), word.size());
    const std::string settings = word.substr(mark);
    word.resize(mark);
    strip_url(word, draft, value);
    word += settings;
  }
  const std::uint16_t port = default_port(draft.output.type, draft.has_tls());
  for (const std::string& word : words) {
    try {
      result.push_back(parse_host(word, port));
    } catch (const std::invalid_argument& error) {
      value.fail(printable(error.what(), 300));
    }
  }
  if (result.empty()) value.fail("expected at least one host, got an empty list");
  if (result.size() > OutputConfig::max_hosts)
    value.fail(fmt::format("expected at most {} hosts, got {}", OutputConfig::max_hosts, result.size()));
}

void set_path(OutputDraft& draft, const SettingValue& value) {
  const std::string path = value.text();
  if (std::ranges::any_of(path, [](unsigned char c) { return c <= ' ' || c == '?' || c == '#' || c == 0x7f; }))
    value.fail("expected a path such as /logs, without ? and #; write %20 for a blank");
  draft.output.request.path = path;
}

void add_header(OutputDraft& draft, std::string_view name, const SettingValue& value) {
  const std::string text = value.text();
  if (!wire::http::is_field_name(name) || !wire::http::is_field_value(text))
    value.fail("expected the name of a header and a text on one line");
  for (const char* ours : {"host", "content-length", "content-type", "content-encoding", "transfer-encoding"})
    if (to_lower(name) == ours) value.fail("this header is made by Windlass");
  draft.output.request.headers.emplace_back(name, text);
}

std::string one_line(const SettingValue& value) {
  std::string text = value.text();
  if (!wire::http::is_field_value(text)) value.fail("expected a text without control characters");
  return text;
}

void set_index(OutputDraft& draft, const SettingValue& value) {
  draft.output.index = value.text();
  try {
    wire::bulk::IndexName check(draft.output.index);
  } catch (const std::invalid_argument& error) {
    value.fail(printable(error.what(), 300));
  }
  if (draft.output.index.find_first_of("\"\\ ") != std::string::npos || !wire::http::is_field_value(draft.output.index))
    value.fail("expected the name of an index, without blanks, quotes and backslashes");
}

void set_proxy(OutputDraft& draft, const SettingValue& value) {
  draft.output.proxy_url = value.text();
  if (draft.output.proxy_url.empty()) return;
  try {
    net::parse_proxy_url(draft.output.proxy_url);
  } catch (const std::invalid_argument& error) {
    value.fail(error.what());
  }
}

void set_resolve_interval(OutputDraft& draft, const SettingValue& value) {
  const bool by_time_to_live = to_lower(value.text()) == "ttl";
  const base::Duration interval = by_time_to_live ? base::Duration(0) : value.duration({}, year);
  if (interval > base::Duration(0) && interval < milliseconds(100))
    value.fail("expected 0 (names are looked up at each connect), ttl, or at least 100ms");
  draft.output.each_address = by_time_to_live || interval > base::Duration(0);
  draft.output.resolve_interval = interval;
}

void set_rate_limit(OutputDraft& draft, const SettingValue& value) {
  try {
    draft.output.rate_limit = parse_rate_limit(value.text());
  } catch (const std::invalid_argument& error) {
    value.fail(printable(error.what(), 300));
  }
}

void refuse_pin(OutputDraft&, const SettingValue& value) {
  if (!value.texts().empty())
    value.fail("pinning of certificates is not supported yet; use ssl.certificate_authorities");
}

void check_protocols(OutputDraft&, const SettingValue& value) {
  bool current = false;
  for (const std::string& word : value.words()) {
    const std::string name = to_lower(word);
    if (name == "tlsv1.2" || name == "tlsv1.3") {
      current = true;
    } else if (name != "tlsv1" && name != "tlsv1.0" && name != "tlsv1.1") {
      value.fail(fmt::format("expected TLSv1.2 or TLSv1.3, got {}", in_quotes(word)));
    }
  }
  if (!current) value.fail("expected TLSv1.2 or TLSv1.3 among the protocols; older ones are not spoken");
}

net::VerificationMode verification_mode(const SettingValue& value) {
  constexpr std::array modes{net::VerificationMode::full, net::VerificationMode::strict,
                             net::VerificationMode::certificate, net::VerificationMode::none};
  return modes[value.choice({"full", "strict", "certificate", "none"})];
}

net::ClientAuthentication client_authentication(const SettingValue& value) {
  constexpr std::array modes{net::ClientAuthentication::none, net::ClientAuthentication::optional,
                             net::ClientAuthentication::required};
  return modes[value.choice({"none", "optional", "required"})];
}

void set_bulk_max_size(OutputDraft& draft, const SettingValue& value) {
  const std::int64_t most = traits_of(draft.output.type).max_bulk_size;
  const std::int64_t size = value.integer(-1, 1'000'000'000);
  if (size > most)
    draft.warnings.push_back(
        fmt::format("{}: {} is limited to {}, the most that servers accept", value.place().text(), value.key(), most));
  // Filebeat: 0 and less leave the size of batches to the queue.
  draft.output.bulk_max_size = static_cast<std::uint32_t>(size <= 0 ? most : std::min(size, most));
}

constexpr unsigned all = OutputSetting::all_outputs;
constexpr unsigned only_lumberjack = OutputSetting::only(OutputType::lumberjack);
constexpr unsigned only_redis = OutputSetting::only(OutputType::redis);
constexpr unsigned only_http = OutputSetting::only(OutputType::http);
constexpr unsigned only_elasticsearch = OutputSetting::only(OutputType::elasticsearch);
constexpr unsigned over_http = only_http | only_elasticsearch;
constexpr unsigned with_user = over_http | only_redis;
constexpr unsigned with_compression = over_http | only_lumberjack;
constexpr unsigned only_file = OutputSetting::only(OutputType::file);
constexpr unsigned only_lines = OutputSetting::only(OutputType::file, OutputType::console);

void set_redis_key(OutputDraft& draft, const SettingValue& value) {
  const std::string key = value.text();
  if (key.find("%{") != std::string::npos)
    value.fail("expected a fixed name; names made of an event's fields are not supported");
  draft.output.redis.key = key;
}

void set_database(OutputDraft& draft, const SettingValue& value) {
  const std::string whole = value.text();
  std::string_view text = whole;
  if (text.starts_with('/')) text.remove_prefix(1);  // the path of a URL
  const auto number = parse_integer(text);
  if (!number || *number < 0 || *number > 1'000'000)
    value.fail(fmt::format("expected the number of a database, got {}", in_quotes(whole)));
  draft.output.redis.database = static_cast<unsigned>(*number);
}

void set_data_type(OutputDraft& draft, const SettingValue& value) {
  constexpr std::array types{RedisDataType::list, RedisDataType::channel, RedisDataType::stream};
  draft.output.redis.data_type = types[value.choice({"list", "channel", "stream"})];
}

void refuse_keys(OutputDraft&, const SettingValue& value) {
  value.fail("choosing a key by an event's fields is not supported; use key, a fixed name");
}

void set_permissions(OutputDraft& draft, const SettingValue& value) {
  const std::string text = value.text();
  unsigned permissions = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), permissions, 8);
  if (error != std::errc() || end != text.data() + text.size() || permissions > 0777)
    value.fail(fmt::format("expected permissions such as 0600, got {}", in_quotes(text)));
  draft.output.file.permissions = permissions;
}

void refuse_pretty(OutputDraft&, const SettingValue& value) {
  if (value.boolean()) value.fail("an event is one line; expected false");
}

const OutputSetting output_table[] = {
    {"enabled", [](OutputDraft&, const SettingValue& v) { v.boolean(); }, Urls::nowhere, {}, all},
    {"hosts", set_hosts, Urls::nowhere},
    {"hosts_file", [](OutputDraft& d, const SettingValue& v) { d.output.hosts_file = v.text(); }},
    {"resolve_interval", set_resolve_interval},
    {"worker", [](OutputDraft& d, const SettingValue& v) { d.output.worker = unsigned(v.integer(1, 256)); }},
    {"rate_limit", set_rate_limit},
    {"loadbalance", [](OutputDraft& d, const SettingValue& v) { d.output.loadbalance = v.boolean(); }},
    {"pipelining",
     // Filebeat's 0 waits for each batch's answer before the next, and so does a window of 1.
     [](OutputDraft& d, const SettingValue& v) {
       d.output.pipelining = unsigned(std::max<std::int64_t>(1, v.integer(0, 1024)));
     }},
    {"bulk_max_size", set_bulk_max_size, Urls::to, {}, all},
    {"compression_level",
     [](OutputDraft& d, const SettingValue& v) { d.output.compression_level = int(v.integer(0, 9)); },
     Urls::to,
     {},
     with_compression},
    {"timeout",
     [](OutputDraft& d, const SettingValue& v) { d.output.timeout = v.duration(milliseconds(1), hours(24)); }},
    {"ttl", [](OutputDraft& d, const SettingValue& v) { d.output.ttl = v.duration({}, year); }},
    {"max_retries",
     [](OutputDraft& d, const SettingValue& v) {
       d.output.max_retries = int(std::max<std::int64_t>(-1, v.integer(-1'000'000, 1'000'000)));
     },
     Urls::to,
     {},
     all},
    {"backoff.init",
     [](OutputDraft& d, const SettingValue& v) { d.output.backoff.init = v.duration(milliseconds(1), hours(24)); },
     Urls::to,
     {},
     all},
    {"backoff.max",
     [](OutputDraft& d, const SettingValue& v) { d.output.backoff.max = v.duration(milliseconds(1), hours(24)); },
     Urls::to,
     {},
     all},
    {"slow_start", nullptr, Urls::to, "every connection begins with a small window"},
    {"proxy_url", set_proxy},
    {"proxy_use_local_resolver",
     [](OutputDraft& d, const SettingValue& v) { d.output.proxy_use_local_resolver = v.boolean(); }},
    {"escape_html", nullptr, Urls::nowhere, "events are sent as they are"},
    {"index", nullptr, Urls::nowhere, "events carry no index name", only_lumberjack},
    {"username", [](OutputDraft& d, const SettingValue& v) { d.output.username = v.text(); }, Urls::to, {}, with_user},
    {"password", [](OutputDraft& d, const SettingValue& v) { d.output.password = v.text(); }, Urls::to, {}, with_user},
    {"index", set_index, Urls::to, {}, only_elasticsearch},
    {"pipeline",
     [](OutputDraft& d, const SettingValue& v) { d.output.pipeline = v.text(); },
     Urls::to,
     {},
     only_elasticsearch},
    {"op_type",
     [](OutputDraft& d, const SettingValue& v) {
       using Operation = ElasticsearchOptions::Operation;
       d.output.operation = v.choice({"create", "index"}) == 0 ? Operation::create : Operation::index;
     },
     Urls::to,
     {},
     only_elasticsearch},
    {"forbidden",
     [](OutputDraft& d, const SettingValue& v) {
       using Forbidden = ElasticsearchOptions::Forbidden;
       d.output.forbidden = v.choice({"hold", "reject"}) == 0 ? Forbidden::hold : Forbidden::reject;
     },
     Urls::to,
     {},
     only_elasticsearch},
    {"format",
     [](OutputDraft& d, const SettingValue& v) {
       using Format = HttpOptions::Format;
       d.output.format = v.choice({"lines", "array"}) == 0 ? Format::lines : Format::array;
     },
     Urls::to,
     {},
     only_http},
    {"protocol",
     [](OutputDraft& d, const SettingValue& v) {
       d.tls_of_protocol = v.choice({"http", "https"}) == 1;
     },
     Urls::nowhere,
     {},
     over_http},
    {"path", set_path, Urls::to, {}, over_http},
    {"bearer_token",
     [](OutputDraft& d, const SettingValue& v) { d.output.request.bearer_token = one_line(v); },
     Urls::to,
     {},
     over_http},
    {"api_key",
     [](OutputDraft& d, const SettingValue& v) { d.output.request.api_key = v.text(); },
     Urls::to,
     {},
     only_elasticsearch},
    {"headers", nullptr, Urls::to, {}, over_http, add_header},
    {"parameters",
     nullptr,
     Urls::to,
     {},
     over_http,
     [](OutputDraft& d, std::string_view name, const SettingValue& v) {
       d.output.request.parameters.emplace_back(name, v.text());
     }},
    {"allow_older_versions", nullptr, Urls::nowhere, "any version is written to", only_elasticsearch},
    {"index", set_redis_key, Urls::nowhere, {}, only_redis},  // read before `key`, which wins
    {"key", set_redis_key, Urls::to, {}, only_redis},
    {"keys", refuse_keys, Urls::nowhere, {}, only_redis},
    {"db", set_database, Urls::to, {}, only_redis},
    {"datatype", set_data_type, Urls::to, {}, only_redis},
    {"path", [](OutputDraft& d, const SettingValue& v) { d.directory = v.text(); }, Urls::nowhere, {}, only_file},
    {"filename",
     [](OutputDraft& d, const SettingValue& v) { d.output.file.path = v.text(); },
     Urls::nowhere,
     {},
     only_file},
    {"rotate_every_kb",
     [](OutputDraft& d, const SettingValue& v) {
       d.output.file.rotate_bytes = std::uint64_t(v.integer(0, 1'000'000'000)) * 1024;
     },
     Urls::to,
     {},
     only_file},
    {"number_of_files",
     [](OutputDraft& d, const SettingValue& v) { d.output.file.number_of_files = unsigned(v.integer(2, 1024)); },
     Urls::to,
     {},
     only_file},
    {"permissions", set_permissions, Urls::to, {}, only_file},
    {"sync",
     [](OutputDraft& d, const SettingValue& v) {
       d.output.file.sync = v.choice({"none", "batch"}) == 1;
     },
     Urls::to,
     {},
     only_file},
    {"rotate_on_startup", nullptr, Urls::nowhere, "a file is gone on with, and rotated by its size", only_file},
    {"pretty", refuse_pretty, Urls::nowhere, {}, only_lines},
    {"codec.json.pretty", refuse_pretty, Urls::nowhere, {}, only_lines},
    {"codec.json.escape_html", nullptr, Urls::nowhere, "events are written as they are", only_lines},
    {"ssl.enabled", [](OutputDraft& d, const SettingValue& v) { d.tls_enabled = v.boolean(); }, Urls::nowhere},
    {"ssl.certificate_authorities",
     [](OutputDraft& d, const SettingValue& v) { d.tls.certificate_authorities = v.pems(); }, Urls::to_and_listen},
    {"ssl.certificate", [](OutputDraft& d, const SettingValue& v) { d.tls.certificate = v.pem(); },
     Urls::to_and_listen},
    {"ssl.key", [](OutputDraft& d, const SettingValue& v) { d.tls.key = v.pem(); }, Urls::to_and_listen},
    {"ssl.key_passphrase", [](OutputDraft& d, const SettingValue& v) { d.tls.key_passphrase = v.text(); },
     Urls::to_and_listen},
    {"ssl.verification_mode",
     [](OutputDraft& d, const SettingValue& v) { d.tls.verification_mode = verification_mode(v); },
     Urls::to_and_listen},
    {"ssl.client_authentication",
     [](OutputDraft& d, const SettingValue& v) { d.tls.client_authentication = client_authentication(v); },
     Urls::to_and_listen},
    {"ssl.supported_protocols", check_protocols, Urls::to_and_listen},
    {"ssl.ca_sha256", refuse_pin},
    {"ssl.ca_trusted_fingerprint", refuse_pin},
    {"ssl.cipher_suites", nullptr, Urls::to, "OpenSSL's choice for TLS 1.2 and newer is used"},
    {"ssl.curve_types", nullptr, Urls::to, "OpenSSL's choice is used"},
    {"ssl.renegotiation", nullptr, Urls::to, "there is never a renegotiation"},
};

std::vector<ListenConfig> listeners(const SettingValue& value) {
  std::vector<ListenConfig> result;
  for (const std::string& url : value.texts()) {
    try {
      result.push_back(read_listen(url));
    } catch (const ConfigError& error) {
      value.fail(error.what());
    }
  }
  return result;
}

LogLevel log_level(const SettingValue& value) {
  constexpr std::array levels{LogLevel::debug,   LogLevel::info,  LogLevel::warning,
                              LogLevel::warning, LogLevel::error, LogLevel::error};
  return levels[value.choice({"debug", "info", "warning", "warn", "error", "critical"})];
}

DiskQueueOptions& disk_queue(Config& config) {
  return config.queue.disk ? *config.queue.disk : config.queue.disk.emplace();
}

void set_sync(Config& config, const SettingValue& value) {
  DiskQueueOptions& disk = disk_queue(config);
  const std::string word = to_lower(trimmed(value.text()));
  if (word == "batch") {
    disk.sync = DiskQueueOptions::Sync::every_batch;
  } else if (word == "system") {
    disk.sync = DiskQueueOptions::Sync::left_to_system;
  } else if (const auto interval = parse_duration(word); interval && *interval > base::Duration::zero()) {
    disk.sync = DiskQueueOptions::Sync::interval;
    disk.sync_interval = *interval;
  } else {
    value.fail(fmt::format("expected batch, system, or a duration such as 100ms, got {}", in_quotes(word)));
  }
}

constexpr std::uint64_t least_disk_queue = std::uint64_t{10} << 20;
constexpr std::uint64_t most_disk_queue = std::uint64_t{1} << 50;

void set_data_path(Config& config, const SettingValue& value) {
  config.data_path = value.text();
  if (config.data_path.empty()) value.fail("expected a directory");
}

void set_registry_path(Config& config, const SettingValue& value) {
  config.registry.path = value.text();
}

void set_registry_flush(Config& config, const SettingValue& value) {
  // Filebeat's 0 saves after each acknowledgement.
  config.registry.flush = std::max<base::Duration>(milliseconds(10), value.duration({}, hours(1)));
}

const GeneralSetting general_table[] = {
    {"queue.mem.events",
     [](Config& c, const SettingValue& v) { c.queue.events = std::size_t(v.integer(1, 1'000'000'000)); }},
    {"queue.mem.bytes",
     [](Config& c, const SettingValue& v) { c.queue.bytes = v.size(std::uint64_t{64} << 10, std::uint64_t{1} << 40); }},
    {"queue.disk.path", [](Config& c, const SettingValue& v) { disk_queue(c).path = v.text(); }},
    {"queue.disk.max_size",
     [](Config& c, const SettingValue& v) { disk_queue(c).max_size = v.size(least_disk_queue, most_disk_queue); }},
    {"queue.disk.segment_size",
     [](Config& c, const SettingValue& v) {
       disk_queue(c).segment_size = v.size(std::uint64_t{64} << 10, std::uint64_t{1} << 30);
     }},
    {"queue.disk.sync", set_sync},
    {"queue.disk.read_ahead", nullptr, "what is in memory is bounded by queue.mem.events and queue.mem.bytes"},
    {"queue.disk.write_ahead", nullptr, "what is in memory is bounded by queue.mem.events and queue.mem.bytes"},
    {"queue.disk.retry_interval", nullptr, "a disk that fails is tried again every 200 ms"},
    {"queue.disk.max_retry_interval", nullptr, "a disk that fails is tried again every 200 ms"},
    {"queue.mem.flush.min_events", nullptr, "events are sent as soon as a connection has room"},
    {"queue.mem.flush.timeout", nullptr, "events are sent as soon as a connection has room"},
    {"relay.listen", [](Config& c, const SettingValue& v) { c.relay.listen = listeners(v); }},
    {"relay.max_clients",
     [](Config& c, const SettingValue& v) { c.relay.max_clients = std::size_t(v.integer(1, 1'000'000)); }},
    {"relay.receive_bytes",
     [](Config& c, const SettingValue& v) {
       c.relay.receive_bytes = v.size(std::uint64_t{1} << 20, std::uint64_t{1} << 40);
     }},
    {"relay.client_inactivity_timeout",
     [](Config& c, const SettingValue& v) { c.relay.client_inactivity_timeout = v.duration({}, year); }},
    {"relay.window_timeout",
     [](Config& c, const SettingValue& v) { c.relay.window_timeout = v.duration(milliseconds(1), year); }},
    {"relay.keep_alive_interval",
     [](Config& c, const SettingValue& v) { c.relay.keep_alive_interval = v.duration(milliseconds(1), hours(24)); }},
    {"path.data", set_data_path},
    {"registry.path", set_registry_path},
    {"registry.flush", set_registry_flush},
    {"filebeat.registry.path", set_registry_path},
    {"filebeat.registry.flush", set_registry_flush},
    {"paths", [](Config& c, const SettingValue& v) { c.paths = v.texts(); }},
    {"progress_timeout",
     [](Config& c, const SettingValue& v) { c.progress_timeout = v.duration(milliseconds(1), year); }},
    {"hedge.max_duplicates", [](Config& c, const SettingValue& v) { c.max_duplicates = v.share(); }},
    {"dead_letter.file", [](Config& c, const SettingValue& v) { c.dead_letter_file = v.text(); }},
    {"shutdown_timeout", [](Config& c, const SettingValue& v) { c.shutdown_timeout = v.duration({}, year); }},
    {"logging.level", [](Config& c, const SettingValue& v) { c.log_level = log_level(v); }},
};

constexpr std::array<std::string_view, 3> unsupported{"kafka", "discard", "cloud"};

}  // namespace

const OutputSetting* find_output_setting(OutputType type, std::string_view key) {
  for (const OutputSetting& setting : output_table) {
    if (!setting.of(type)) continue;
    const bool entry = setting.apply_entry != nullptr && key.size() > setting.key.size() + 1 &&
                       key.starts_with(setting.key) && key[setting.key.size()] == '.';
    if (key == setting.key || entry) return &setting;
  }
  return nullptr;
}

std::vector<std::string_view> output_setting_names(OutputType type) {
  std::vector<std::string_view> names;
  for (const OutputSetting& setting : output_table)
    if (setting.of(type)) names.push_back(setting.key);
  return names;
}

bool apply(const OutputSetting& setting, std::string_view key, OutputDraft& draft, const SettingValue& value) {
  if (setting.apply_entry != nullptr) {
    if (key == setting.key) value.fail("expected a section of names and values");
    setting.apply_entry(draft, key.substr(setting.key.size() + 1), value);
    return true;
  }
  if (setting.apply != nullptr) setting.apply(draft, value);
  return setting.apply != nullptr;
}

std::span<const GeneralSetting> general_settings() {
  return general_table;
}

std::string_view canonical_output_key(std::string_view key) {
  return key == "workers" ? "worker" : key;
}

std::span<const std::string_view> unsupported_outputs() {
  return unsupported;
}

}  // namespace windlass::app
