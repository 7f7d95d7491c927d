// Windlass: the Lumberjack protocol, version 2, which Logstash and Beats speak.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <windlass/tls.h>
#include <windlass/workers.h>

namespace windlass {

struct LumberjackOptions {
  /// "name", "name:5044", "10.0.0.1:5044", "[::1]:5044"; the port is 5044 where none is given. A name is looked up
  /// again at each connect, and each of its addresses is tried.
  std::vector<std::string> hosts;
  /// Connections to each host.
  unsigned workers = 1;
  /// All connections share the work. Otherwise one host at a time is used, with the others as its reserve; the order of
  /// preference is the list's, from a random place on.
  bool loadbalance = true;
  /// 0: none; 1 (fast) to 9 (small).
  int compression_level = 3;
  std::optional<TlsOptions> tls;
  /// As Worker has them.
  std::chrono::nanoseconds wait_retry = std::chrono::seconds(1);
  std::chrono::nanoseconds max_wait_retry = std::chrono::seconds(60);
  std::chrono::nanoseconds ttl{0};
};

/// Workers that send over Lumberjack. Events must be JSON objects. The factory throws std::invalid_argument for a host
/// that cannot be read and for a compression level that there is not, and std::runtime_error, which names the file, for
/// certificates and keys that cannot be used.
WorkerFactory lumberjack_workers(LumberjackOptions options);

}  // namespace windlass
