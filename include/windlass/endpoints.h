// Windlass: what all protocols that come with it share: where the endpoints are, and how to connect to them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <windlass/tls.h>

namespace windlass {

/// Where an endpoint is, and what holds for it alone. A text alone is a host.
struct EndpointHost {
  EndpointHost(std::string text) : address(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  EndpointHost(const char* text) : address(text) {}             // NOLINT(google-explicit-constructor)

  /// "name", "name:5044", "10.0.0.1:5044", "[::1]:5044"; where no port is given, the protocol's. A name is looked up
  /// again at each connect, and each of its addresses is tried.
  std::string address;
  /// The name by which its certificate is checked and under which it is spoken to, where that is not the address.
  std::string server_name;
  /// Of batches for which several connections would be as good, each gets a share in proportion to this.
  unsigned weight = 1;
  /// Its connections take part only while all hosts of lower numbers are failing.
  unsigned priority = 0;
  /// Events a second that it is given at most, over all its connections, as Worker has it; 0: as many as it takes.
  double rate_limit = 0;
};

/// The priority of a host that is one of several of which one at a time is used: `place` is its place among those of
/// its priority.
constexpr unsigned reserve_priority(unsigned priority, unsigned place) {
  constexpr unsigned most = 0xffff;
  return (priority < most ? priority : most) << 16 | (place < most ? place : most);
}

struct EndpointOptions {
  std::vector<EndpointHost> hosts;
  /// Connections to each host.
  unsigned workers = 1;
  /// All connections share the work. Otherwise one host at a time is used, with the others as its reserve; the order of
  /// preference is the list's, from a random place on, within each priority, which is at most
  /// 65535 then.
  bool loadbalance = true;
  std::optional<TlsOptions> tls;
  /// "http://user:password@host:port" (CONNECT) or "socks5://user:password@host:port", by which connections are made;
  /// empty: directly. TLS goes through it.
  std::string proxy_url;
  /// Names of hosts are looked up here, and not by the proxy, which is given one address after another then.
  bool proxy_use_local_resolver = false;
  /// As Worker has them.
  std::chrono::nanoseconds wait_retry = std::chrono::seconds(1);
  std::chrono::nanoseconds max_wait_retry = std::chrono::seconds(60);
  std::chrono::nanoseconds ttl{0};
};

}  // namespace windlass
