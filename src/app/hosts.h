// Hosts as people write them: in `hosts`, and in a file of hosts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

#include "app/config.h"

namespace windlass::app {

/// Reads "host", "host:port", or a service, "_name._tcp.domain", and behind it what holds for this host alone:
/// "host:port?priority=1". Throws std::invalid_argument with a text that says what was expected.
Host parse_host(std::string_view text, std::uint16_t default_port);

/// Events a second: "5000/s", "300/min", "2k/h"; "0" is zero, without limit. Throws std::invalid_argument with a text
/// that says what was expected.
double parse_rate_limit(std::string_view text);

/// Whether a host may have this setting behind it.
bool is_host_setting(std::string_view name);

/// A file of hosts: one a line, as `hosts` has them; blank lines, and what follows a #, count for nothing. At most
/// OutputConfig::max_hosts and 1 MiB. Throws ConfigError with file and line; a file without hosts is an error, too.
std::vector<Host> read_hosts_file(const std::string& path, std::uint16_t default_port);

/// Notices when such a file changes.
class HostsFile {
 public:
  /// What it held when it was read before this counts as known.
  HostsFile(std::string path, std::uint16_t default_port);

  /// To be called again and again. The hosts, when the file is not what it was when it was last read, and has not
  /// changed since the last look: so a file that is being written is not taken for a whole one. Throws what
  /// read_hosts_file throws, once for each change.
  std::optional<std::vector<Host>> look();

 private:
  /// What tells one state of the file from another; zeros where there is no file.
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    bool operator==(const Stamp& other) const;
  };
  Stamp stamp() const;

  const std::string path_;
  const std::uint16_t default_port_;
  Stamp read_;
  Stamp seen_;
};

}  // namespace windlass::app
