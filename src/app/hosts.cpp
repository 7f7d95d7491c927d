#include "app/hosts.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "app/config_error.h"
#include "app/text_file.h"
#include "app/units.h"

namespace windlass::app {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

using Apply = void (*)(Host&, std::string_view value);

unsigned number(std::string_view name, std::string_view value, unsigned least, unsigned most) {
  const auto parsed = parse_integer(value);
  if (!parsed || *parsed < least || *parsed > most)
    throw std::invalid_argument(
        fmt::format("{}: expected a number from {} to {}, got {}", name, least, most, in_quotes(value)));
  return static_cast<unsigned>(*parsed);
}

void set_priority(Host& host, std::string_view value) {
  host.priority = number("priority", value, 0, 65535);
}

void set_weight(Host& host, std::string_view value) {
  host.weight = number("weight", value, 1, 1000);
}

void set_rate_limit(Host& host, std::string_view value) {
  host.rate_limit = parse_rate_limit(value);
}

constexpr std::pair<std::string_view, Apply> settings[] = {
    {"priority", set_priority}, {"weight", set_weight}, {"rate_limit", set_rate_limit}};

void apply(Host& host, std::string_view setting) {
  const std::string_view name = setting.substr(0, setting.find('='));
  const auto* const known = std::ranges::find(settings, name, &std::pair<std::string_view, Apply>::first);
  if (known == std::end(settings) || name.size() == setting.size())
    throw std::invalid_argument(
        fmt::format("expected a setting such as priority=1 behind the host, got {}", in_quotes(setting)));
  known->second(host, setting.substr(name.size() + 1));
}

void check_service(const Host& host, std::string_view text) {
  const std::string_view name = host.address.host;
  if (text.find(':') != std::string_view::npos)
    throw std::invalid_argument(fmt::format(
        "expected no port behind the name of a service, whose SRV records have it, got {}", in_quotes(text)));
  const std::string_view behind = name.substr(name.find('.') + 1);
  if (to_lower(behind.substr(0, behind.find('.'))) != "_tcp")
    throw std::invalid_argument(fmt::format("expected a service over TCP, _name._tcp.domain, got {}", in_quotes(text)));
}

}  // namespace

double parse_rate_limit(std::string_view text) {
  if (trimmed(text) == "0") return 0;
  const auto rate = parse_rate(text);
  if (!rate)
    throw std::invalid_argument(
        fmt::format("expected a rate such as 5000/s, 300/min or 2k/h, or 0 for no limit; got {}", in_quotes(text)));
  return *rate;
}

bool is_host_setting(std::string_view name) {
  return std::ranges::find(settings, name, &std::pair<std::string_view, Apply>::first) != std::end(settings);
}

Host parse_host(std::string_view text, std::uint16_t default_port) {
  if (text.find("://") != std::string_view::npos)
    throw std::invalid_argument(fmt::format("expected host or host:port without a scheme, got {}", in_quotes(text)));
  const auto mark = std::min(text.find('?'), text.size());
  Host host = net::parse_host_port(text.substr(0, mark), default_port);
  if (host.address.host.empty())
    throw std::invalid_argument(fmt::format("expected a host before the port, got {}", in_quotes(text)));
  if (is_service(host)) {
    check_service(host, text.substr(0, mark));
    host.address.port = 0;
  } else if (host.address.port == 0) {
    throw std::invalid_argument(fmt::format("expected a port from 1 to 65535, got {}", in_quotes(text)));
  }
  for (std::string_view rest = text.substr(std::min(mark + 1, text.size())); !rest.empty();) {
    const auto end = std::min(rest.find('&'), rest.size());
    apply(host, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return host;
}

std::vector<Host> read_hosts_file(const std::string& path, std::uint16_t default_port) {
  const std::string text = read_text_file(path, largest_file);
  Place place{printable(path, 200)};
  const auto fail = [&](const std::string& problem) { throw ConfigError(place, {}, problem); };
  if (text.size() > largest_file) fail(fmt::format("expected at most {}", format_size(largest_file)));
  std::vector<Host> hosts;
  for (std::string_view rest = text; !rest.empty();) {
    ++place.line;
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (line.find_first_of(" \t,") != std::string_view::npos)
      fail(fmt::format("expected one host a line, got {}", in_quotes(line)));
    try {
      hosts.push_back(parse_host(line, default_port));
    } catch (const std::invalid_argument& error) {
      fail(printable(error.what(), 300));
    }
    if (hosts.size() > OutputConfig::max_hosts) fail(fmt::format("expected at most {} hosts", OutputConfig::max_hosts));
  }
  place.line = 0;
  if (hosts.empty()) fail("expected at least one host, one a line");
  return hosts;
}

HostsFile::HostsFile(std::string path, std::uint16_t default_port)
    : path_(std::move(path)), default_port_(default_port), read_(stamp()), seen_(read_) {}

bool HostsFile::Stamp::operator==(const Stamp& other) const {
  return device == other.device && inode == other.inode && size == other.size &&
         modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec;
}

HostsFile::Stamp HostsFile::stamp() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

std::optional<std::vector<Host>> HostsFile::look() {
  const Stamp now = stamp();
  const bool is_steady = now == std::exchange(seen_, now);
  if (!is_steady || now == read_) return std::nullopt;
  read_ = now;
  return read_hosts_file(path_, default_port_);
}

}  // namespace windlass::app
