// What the program is told, after files, -E, --to and defaults have been put together. Plain data; config_reader.h and
// target.h make it and check it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <windlass/elasticsearch.h>
#include <windlass/file.h>
#include <windlass/http.h>
#include <windlass/load_balancer.h>
#include <windlass/redis.h>

#include "base/time.h"
#include "net/address.h"
#include "net/dns_answer.h"
#include "net/tls.h"

namespace windlass::app {

/// Protocols that events can be sent with; output.h has what is particular to each.
enum class OutputType {
  lumberjack,
  http,
  elasticsearch,
  redis,
  file,
  console,
};

/// One host of an output.
struct Host {
  Host() = default;
  Host(net::HostPort at) : address(std::move(at)) {}  // NOLINT(google-explicit-constructor)

  /// A service, "_lumberjack._tcp.example.org", has the port 0.
  net::HostPort address;
  /// The name by which its certificate is checked and under which it is spoken to, where that is not the address's.
  std::string server_name;
  /// Its share, in proportion, of batches for which several hosts would be as good.
  unsigned weight = 1;
  /// Takes part only while hosts of lower numbers are failing.
  unsigned priority = 0;
  /// Events a second that it is given at most, over all its connections; 0: without limit. None: the output's.
  std::optional<double> rate_limit;

  friend bool operator==(const Host&, const Host&) = default;
};

/// Whether it stands for the targets of SRV records.
inline bool is_service(const Host& host) {
  return net::is_service_name(host.address.host);
}

/// Where events go: output.TYPE in a file, or --to. Defaults that depend on the type are in output.h.
struct OutputConfig {
  OutputType type = OutputType::lumberjack;
  /// At least one and at most max_hosts, where the type has hosts. Each stands for `worker` connections. Those that a
  /// hosts file had when the configuration was read are the last ones.
  std::vector<Host> hosts;
  /// A file of further hosts, which is looked at again and again. Empty: none.
  std::string hosts_file;
  /// Each address of a name is an endpoint of its own; else a name is one endpoint, and is looked up at each connect.
  bool each_address = false;
  /// Services, and names with each_address, are looked up again after this time; 0: by the answers' times to live.
  base::Duration resolve_interval{0};
  std::size_t hosts_in_file = 0;
  unsigned worker = 1;
  /// Events a second that each endpoint is given at most, over all its connections, where its host says nothing else;
  /// 0: without limit.
  double rate_limit = 0;
  /// Share the work between all connections; else one of them is used, and another one only when it fails. In files the
  /// default is the type's, as in Filebeat, with --to it is true.
  bool loadbalance = false;
  /// Upper bound of the window: batches in flight on one connection, at least 1. Unset: the library's.
  std::optional<unsigned> pipelining;
  /// Events in a batch, 1 to the most that the type allows.
  std::uint32_t bulk_max_size = 2048;
  /// 0 (none) to 9 (smallest).
  int compression_level = 3;
  /// For a connect, and for a sign of life while something is in flight.
  base::Duration timeout = std::chrono::seconds(30);
  /// Connections are replaced after this time; 0: never.
  base::Duration ttl{0};
  /// Sends after the first one, before an event is dropped; negative: without end.
  int max_retries = -1;
  /// Between attempts of one connection, growing from `init` to `max`.
  struct Backoff {
    base::Duration init = std::chrono::seconds(1);
    base::Duration max = std::chrono::seconds(60);
    friend bool operator==(const Backoff&, const Backoff&) = default;
  } backoff;
  /// None: plain TCP.
  std::optional<net::TlsOptions> tls;
  /// On the way to the hosts; may hold a password. Empty: none.
  std::string proxy_url;
  bool proxy_use_local_resolver = false;
  /// Who we are, where the protocol asks for it.
  std::string username;
  std::string password;
  struct Redis {
    RedisDataType data_type = RedisDataType::list;
    std::string key;  ///< never empty
    unsigned database = 0;
    friend bool operator==(const Redis&, const Redis&) = default;
  } redis;
  /// Of file; its path is never empty then.
  FileOptions file;

  /// Of http and elasticsearch, but for user, password and the level of compression.
  HttpRequestOptions request;
  HttpOptions::Format format = HttpOptions::Format::lines;
  /// Of elasticsearch.
  std::string index = ElasticsearchOptions().index;
  std::string pipeline;
  ElasticsearchOptions::Operation operation = ElasticsearchOptions::Operation::create;
  ElasticsearchOptions::Forbidden forbidden = ElasticsearchOptions::Forbidden::hold;

  static constexpr std::size_t max_hosts = 1024;
  friend bool operator==(const OutputConfig&, const OutputConfig&) = default;
};

/// A place to listen on: --listen.
struct ListenConfig {
  OutputType type = OutputType::lumberjack;
  /// An empty host: every address of this machine. Port 0: one that is free.
  net::HostPort at;
  /// None: plain TCP.
  std::optional<net::TlsOptions> tls;
  friend bool operator==(const ListenConfig&, const ListenConfig&) = default;
};

/// Budgets for what is read and not yet acknowledged.
struct QueueConfig {
  /// queue.mem.events. The library's default, not Filebeat's 3200, which would starve more than one connection.
  std::size_t events = 65536;
  /// queue.mem.bytes, of encoded events; Filebeat has no such budget.
  std::size_t bytes = std::size_t{16} << 20;
  /// queue.disk.*; none: nothing is stored.
  std::optional<DiskQueueOptions> disk;
  friend bool operator==(const QueueConfig&, const QueueConfig&) = default;
};

/// What `relay` does with its clients: relay.* in a file.
struct RelayConfig {
  /// Where it listens; --listen takes its place.
  std::vector<ListenConfig> listen;
  std::size_t max_clients = 10'000;
  std::size_t receive_bytes = std::size_t{256} << 20;
  base::Duration client_inactivity_timeout = std::chrono::seconds(60);
  base::Duration window_timeout = std::chrono::seconds(60);
  base::Duration keep_alive_interval = std::chrono::seconds(5);
  friend bool operator==(const RelayConfig&, const RelayConfig&) = default;
};

/// Files that are followed: an item of `inputs`.
struct FileInputConfig {
  std::vector<std::string> paths;     ///< patterns, see input::Glob; at least one
  std::vector<std::string> excluded;  ///< regular expressions
  std::vector<std::string> included;
  /// Symbolic links are followed: by default for the type file, not for Filebeat's types.
  bool links = true;
  base::Duration ignore_older{0};
  base::Duration close_inactive = std::chrono::minutes(5);
  base::Duration clean_inactive = std::chrono::hours(24);
  base::Duration check_interval = std::chrono::seconds(10);
  std::size_t harvester_limit = 0;  ///< files open at the same time; 0: 256
  friend bool operator==(const FileInputConfig&, const FileInputConfig&) = default;
};

/// What is remembered of followed files.
struct RegistryConfig {
  std::string path;  ///< empty: "registry" below path.data
  base::Duration flush = std::chrono::seconds(1);
  friend bool operator==(const RegistryConfig&, const RegistryConfig&) = default;
};

enum class LogLevel { debug, info, warning, error };

struct Config {
  OutputConfig output;
  QueueConfig queue;
  RelayConfig relay;
  /// Files to read where the command line names none; "-" is standard input.
  std::vector<std::string> paths;
  /// Files to follow where the command line names none.
  std::vector<FileInputConfig> inputs;
  RegistryConfig registry;
  std::string data_path = "/var/lib/windlass";
  LogLevel log_level = LogLevel::info;
  /// For an acknowledgement that gets somewhere, however alive the peer is.
  base::Duration progress_timeout = std::chrono::minutes(5);
  /// hedge.max_duplicates: events that may be sent twice to get past a straggler, as a share of those acknowledged.
  double max_duplicates = 0;
  /// dead_letter.file: where events go that no endpoint will take. Empty: nowhere; they are dropped.
  std::string dead_letter_file;
  /// How long the program goes on after a signal, to have acknowledged what was read.
  base::Duration shutdown_timeout = std::chrono::seconds(30);
  /// What was given, is fine, and has no effect; one line each, with its place.
  std::vector<std::string> warnings;
  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace windlass::app
