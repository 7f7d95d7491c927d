// Windlass: what all protocols that come with it share: where the endpoints are, and how to connect to them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <windlass/tls.h>

namespace windlass {

struct EndpointOptions {
  /// "name", "name:5044", "10.0.0.1:5044", "[::1]:5044"; where no port is given, the protocol's. A name is looked up
  /// again at each connect, and each of its addresses is tried.
  std::vector<std::string> hosts;
  /// Connections to each host.
  unsigned workers = 1;
  /// All connections share the work. Otherwise one host at a time is used, with the others as its reserve; the order of
  /// preference is the list's, from a random place on.
  bool loadbalance = true;
  std::optional<TlsOptions> tls;
  /// As Worker has them.
  std::chrono::nanoseconds wait_retry = std::chrono::seconds(1);
  std::chrono::nanoseconds max_wait_retry = std::chrono::seconds(60);
  std::chrono::nanoseconds ttl{0};
};

}  // namespace windlass
