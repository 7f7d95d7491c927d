// --to and --listen: one URL for a protocol, its hosts and its settings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config.h"
#include "app/config_error.h"

namespace windlass::app {

/// "http://user:password@h1:8080,h2:8080/path?pipelining=2&compression_level=3", taken apart. The scheme's final "s"
/// means TLS. Hosts are separated by commas, which no URL parser expects; the rest is as in RFC 3986, percent-encoding
/// included; only a date, %{+yyyy.MM.dd}, may stand in the query as it does in files.
struct Target {
  OutputType type = OutputType::lumberjack;
  bool tls = false;
  struct User {
    std::string name;
    std::string password;
    friend bool operator==(const User&, const User&) = default;
  };
  std::optional<User> user;  ///< decoded
  std::string hosts;
  std::string path;                                             ///< as it stands, with its first slash; empty for "/"
  std::vector<std::pair<std::string, std::string>> parameters;  ///< decoded; names as in files below output.TYPE
  Place place;  ///< "--to lumberjack://h1:5044,h2:5044": without the query, which may hold secrets
};

/// `option` is "--to" or "--listen", for the place. Throws ConfigError. What the hosts and parameters mean is not
/// looked at here.
Target parse_target(std::string_view option, std::string_view url);

/// Several --to as one: all hosts, and all parameters, each of which holds for all hosts. At least one URL. Throws
/// ConfigError, also where two of them do not agree.
Target parse_targets(const std::vector<std::string>& urls);

/// Reads --listen. Throws ConfigError. Here the host may be empty, and the port 0.
ListenConfig read_listen(std::string_view url);

}  // namespace windlass::app
