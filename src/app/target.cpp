#include "app/target.h"

#include <algorithm>
#include <boost/url/parse_query.hpp>
#include <boost/url/pct_string_view.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <stdexcept>

#include "app/hosts.h"
#include "app/output.h"
#include "app/settings.h"
#include "app/suggestion.h"
#include "app/units.h"

namespace windlass::app {
namespace {

constexpr std::string_view shape = "a URL such as lumberjack://host:5044 or lumberjacks://host:5044 (TLS)";
constexpr std::size_t longest_place = 80;
constexpr std::size_t longest_url = 64 << 10;

Place place_of(std::string_view option, std::string_view url) {
  std::string_view shown = url.substr(0, url.find_first_of("?#"));
  // A password is not repeated in messages.
  const auto authority = shown.find("://");
  const auto at = shown.rfind('@');
  std::string text(shown);
  if (authority != std::string_view::npos && at != std::string_view::npos && at > authority)
    text = fmt::format("{}://...{}", shown.substr(0, authority), shown.substr(at));
  return Place{fmt::format("{} {}", option, printable(text, longest_place))};
}

Scheme scheme_named(const std::string& name, const Place& place) {
  if (const auto scheme = find_scheme(name)) return *scheme;
  std::vector<std::string> all;
  for (const OutputTraits& output : outputs())
    for (const bool tls : {false, true})
      if (!tls || output.hosts) all.push_back(scheme_of(output.type, tls));
  const std::string supported = fmt::format("{}://", fmt::join(all, "://, "));
  if (name == "kafka")
    throw ConfigError(place, {}, fmt::format("not supported yet: {}://; supported: {}", name, supported));
  throw ConfigError(place, {},
                    fmt::format("unknown scheme {}; supported: {}{}", in_quotes(name), supported,
                                suggestion(name, {all.begin(), all.end()})));
}

/// `text` with its %XX replaced.
std::string decoded(std::string_view text, const Place& place) {
  const auto parsed = boost::urls::make_pct_string_view(boost::urls::string_view(text.data(), text.size()));
  if (!parsed) throw ConfigError(place, {}, "expected % only before two hexadecimal digits");
  return parsed->decode();
}

/// With dates, %{+yyyy.MM.dd}, as a URL must have them: they may be written there as in files.
std::string with_dates_encoded(std::string_view query) {
  std::string result;
  while (!query.empty()) {
    const auto open = query.find("%{+");
    const auto close = open == std::string_view::npos ? open : query.find('}', open);
    if (close == std::string_view::npos) return result.append(query);
    result.append(query.substr(0, open))
        .append("%25%7B%2B")
        .append(query.substr(open + 3, close - open - 3))
        .append("%7D");
    query.remove_prefix(close + 1);
  }
  return result;
}

bool has_hosts_file(const Target& target) {
  return std::ranges::any_of(target.parameters, [](const auto& one) { return one.first == "hosts_file"; });
}

void read_query(std::string_view text, Target& target) {
  if (text.empty()) return;
  const std::string query = with_dates_encoded(text);
  const auto parsed = boost::urls::parse_query(boost::urls::string_view(query.data(), query.size()));
  if (!parsed)
    throw ConfigError(
        target.place, {},
        fmt::format("expected name=value pairs with & between them after the ?, other characters as %XX; got {}",
                    parsed.error().message()));
  for (const auto parameter : *parsed) {
    const auto key = boost::urls::pct_string_view(parameter.key).decode();
    if (!parameter.has_value) throw ConfigError(target.place, printable(key, longest_place), "expected = and a value");
    const auto twin = std::find_if(target.parameters.begin(), target.parameters.end(), [&](const auto& other) {
      return canonical_output_key(other.first) == canonical_output_key(key);
    });
    if (twin != target.parameters.end()) throw ConfigError(target.place, key, "given twice");
    target.parameters.emplace_back(key, boost::urls::pct_string_view(parameter.value).decode());
  }
}

}  // namespace

Target parse_target(std::string_view option, std::string_view url) {
  Target target;
  target.place = place_of(option, url);
  const auto fail = [&](const std::string& problem) { throw ConfigError(target.place, {}, problem); };

  if (url.size() > longest_url) fail(fmt::format("expected a URL of at most {} bytes", longest_url));
  const auto colon = url.find("://");
  if (colon == std::string_view::npos || colon == 0) fail(fmt::format("expected {}", shape));
  const Scheme scheme = scheme_named(to_lower(url.substr(0, colon)), target.place);
  target.type = scheme.output->type;
  target.tls = scheme.tls;

  std::string_view rest = url.substr(colon + 3);
  if (rest.find('#') != std::string_view::npos) fail("expected no # in the URL; write %23 for one inside of a value");
  std::string_view query;
  if (const auto mark = rest.find('?'); mark != std::string_view::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  if (!scheme.output->hosts) {
    const bool path = !scheme.output->path_setting.empty();
    if (path == rest.empty())
      fail(path ? "expected the path of a file, as in file:///var/log/events" : "expected nothing after ://");
    target.path = decoded(rest, target.place);
    rest = {};
  }
  const auto slash = std::min(rest.find('/'), rest.size());
  if (rest.size() - slash > 1) target.path = rest.substr(slash);
  rest = rest.substr(0, slash);
  if (!target.path.empty() && scheme.output->path_setting.empty()) fail("expected no path after the hosts");
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    if (!scheme.output->user_in_url) fail("expected no user or password; this protocol has none");
    const std::string_view user = rest.substr(0, at);
    const auto parted = std::min(user.find(':'), user.size());
    target.user = Target::User{decoded(user.substr(0, parted), target.place),
                               decoded(user.substr(std::min(parted + 1, user.size())), target.place)};
    rest = rest.substr(at + 1);
  }
  target.hosts = rest;
  read_query(query, target);
  if (rest.empty() && scheme.output->hosts && !has_hosts_file(target))
    fail(fmt::format("expected at least one host, as in {}", shape));
  return target;
}
namespace {

/// A URL of --to. What it says for each of its hosts stands behind these, as in files; what the output may say as well
/// holds for hosts in its file, too.
Target parse_to(std::string_view url) {
  Target target = parse_target("--to", url);
  if (!traits_of(target.type).hosts) return target;
  std::string settings;
  const bool has_file = has_hosts_file(target);
  std::erase_if(target.parameters, [&](const auto& parameter) {
    if (!is_host_setting(parameter.first)) return false;
    const bool holds_for_file = has_file && find_output_setting(target.type, parameter.first) != nullptr;
    if (holds_for_file && target.hosts.empty()) return false;
    if (parameter.second.find_first_of(",&") != std::string::npos)
      throw ConfigError(target.place, parameter.first, "expected neither , nor & in the value");
    settings += fmt::format("{}{}={}", settings.empty() ? '?' : '&', parameter.first, parameter.second);
    return !holds_for_file;
  });
  if (settings.empty()) return target;
  if (target.hosts.empty())
    throw ConfigError(target.place, {}, "expected priority and weight behind the hosts in the file");
  std::string hosts;
  for (std::string_view rest = target.hosts;;) {
    const auto end = std::min(rest.find(','), rest.size());
    hosts += fmt::format("{}{}", rest.substr(0, end), settings);
    if (end == rest.size()) break;
    hosts += ',';
    rest.remove_prefix(end + 1);
  }
  target.hosts = std::move(hosts);
  return target;
}

}  // namespace

Target parse_targets(const std::vector<std::string>& urls) {
  Target all = parse_to(urls.front());
  if (urls.size() > 1) all.place = Place{"--to"};
  for (std::size_t index = 1; index < urls.size(); ++index) {
    const Target target = parse_to(urls[index]);
    if (target.type != all.type || target.tls != all.tls)
      throw ConfigError(target.place, {}, "expected the scheme of the first --to");
    if (target.user != all.user || target.path != all.path)
      throw ConfigError(target.place, {},
                        "expected user, password and path of the first --to, as they hold for all hosts");
    if (!all.hosts.empty() && !target.hosts.empty()) all.hosts += ',';
    all.hosts += target.hosts;
    for (const auto& parameter : target.parameters) {
      const auto same = std::find_if(all.parameters.begin(), all.parameters.end(),
                                     [&](const auto& other) { return other.first == parameter.first; });
      if (same == all.parameters.end())
        all.parameters.push_back(parameter);
      else if (same->second != parameter.second)
        throw ConfigError(target.place, printable(parameter.first, longest_place),
                          "expected the value of the other --to, as it holds for all hosts");
    }
  }
  return all;
}

ListenConfig read_listen(std::string_view url) {
  const Target target = parse_target("--listen", url);
  if (!traits_of(target.type).sink)
    throw ConfigError(target.place, {}, "not supported yet: to listen for this protocol");
  if (!target.path.empty() || target.user) throw ConfigError(target.place, {}, "expected host and port alone");
  OutputDraft draft(target.type);
  std::vector<std::string_view> names;
  for (const std::string_view name : output_setting_names(target.type))
    if (find_output_setting(target.type, name)->urls == OutputSetting::Urls::to_and_listen) names.push_back(name);
  for (const auto& [key, value] : target.parameters) {
    if (std::find(names.begin(), names.end(), key) == names.end())
      throw ConfigError(target.place, printable(key, longest_place),
                        "not a setting of a listener" + suggestion(key, names));
    if (!target.tls)
      throw ConfigError(target.place, key, fmt::format("expected {}:// for TLS", scheme_of(target.type, true)));
    const YamlNode node{YamlNode::Kind::scalar, target.place, value, {}, {}};
    apply(*find_output_setting(target.type, key), key, draft, SettingValue(key, node));
  }
  if (target.hosts.find(',') != std::string::npos)
    throw ConfigError(target.place, {}, "expected one host; give --listen several times");
  ListenConfig listen;
  listen.type = target.type;
  try {
    listen.at = net::parse_host_port(target.hosts, default_port(target.type, target.tls));
  } catch (const std::invalid_argument& error) {
    throw ConfigError(target.place, {}, printable(error.what(), 300));
  }
  if (target.tls) {
    if (draft.tls.certificate.empty() || draft.tls.key.empty())
      throw ConfigError(target.place, {}, "expected ssl.certificate and ssl.key, which a TLS server needs");
    listen.tls = std::move(draft.tls);
  }
  return listen;
}

}  // namespace windlass::app
