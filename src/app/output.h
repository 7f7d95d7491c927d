// The table of protocols that the program can send with: what is particular to each of them outside of its settings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <windlass/workers.h>

#include "app/config.h"
#include "protocol/client_conversation.h"
#include "protocol/http_greeting.h"

namespace windlass::app {

struct OutputTraits {
  OutputType type;
  std::string_view name;     ///< in URLs, "lumberjack://"; with an "s" behind it over TLS; in files output.NAME
  std::string_view in_file;  ///< what Filebeat calls it in files, "logstash"; `name` where that is the same
  std::uint16_t port;        ///< where none is given
  std::uint16_t tls_port;    ///< the same, over TLS
  /// Defaults of settings, Filebeat's.
  std::uint32_t bulk_max_size;
  base::Duration timeout;
  bool loadbalance;
  int compression_level;
  /// Batches in flight on one connection; 0: the library's.
  unsigned pipelining = 0;
  /// The most that bulk_max_size may be.
  std::uint32_t max_bulk_size = 1'000'000;
  /// Whether a URL may have "user:password@", which stand for the settings `username` and `password`.
  bool user_in_url = false;
  /// The setting that a path in a URL stands for; empty where it may have none.
  std::string_view path_setting = {};
  /// Whether it has hosts, and may have TLS; else a URL has a path alone, or nothing.
  bool hosts = true;
  /// Whether windlass sink can be one.
  bool sink = true;
};

std::span<const OutputTraits> outputs();
const OutputTraits& traits_of(OutputType type);
/// By `name` or `in_file`.
const OutputTraits* find_output(std::string_view name);

/// "lumberjack", "lumberjacks".
std::string scheme_of(OutputType type, bool tls);
/// Of a scheme: its output, and whether it means TLS.
struct Scheme {
  const OutputTraits* output;
  bool tls;
};
std::optional<Scheme> find_scheme(std::string_view name);

/// The port where none is given.
std::uint16_t default_port(OutputType type, bool tls);

/// An output of that type, with its defaults, and without hosts.
OutputConfig default_output(OutputType type);

/// The connections to the output's hosts. The factory throws as those of the protocols do.
WorkerFactory workers_of(const OutputConfig& output);
/// One conversation with one of its hosts, as those workers have them. The output has hosts.
std::unique_ptr<protocol::ClientConversation> conversation_of(const OutputConfig& output, const net::HostPort& host);
/// One that only asks who serves there, where the protocol has that; else nothing.
std::unique_ptr<protocol::HttpGreeting> greeting_of(const OutputConfig& output, const net::HostPort& host);

}  // namespace windlass::app
