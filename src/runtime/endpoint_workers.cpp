#include "runtime/endpoint_workers.h"

#include <algorithm>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

namespace windlass::runtime {

std::vector<Worker> endpoint_workers(Loop& loop, const EndpointOptions& options, std::uint16_t default_port,
                                     const ConversationsOfHost& conversations) {
  std::optional<net::TlsContext> tls;
  if (options.tls) tls = net::TlsContext::client(*options.tls);
  std::optional<net::Proxy> proxy;
  if (!options.proxy_url.empty()) {
    proxy = net::parse_proxy_url(options.proxy_url);
    proxy->resolve_here = options.proxy_use_local_resolver;
  }
  const std::size_t hosts = options.hosts.size();
  // Fleets that share a list of hosts must not all prefer the same one.
  const std::size_t preferred = hosts == 0 ? 0 : std::random_device()() % hosts;
  std::vector<Worker> workers;
  for (std::size_t host = 0; host < hosts; ++host) {
    const EndpointHost& where = options.hosts[host];
    const net::HostPort address = net::parse_host_port(where.address, default_port);
    const std::string& name = where.server_name.empty() ? address.host : where.server_name;
    for (unsigned connection = 0; connection < std::max(1u, options.workers); ++connection) {
      Worker& worker = workers.emplace_back();
      worker.endpoint = net::to_string(address);
      worker.another = [&loop, connector = net::Connector::Options{address, tls, where.server_name, nullptr, proxy},
                        each = conversations({name, address.port})]() -> Worker::Client {
        return std::make_unique<ProtocolClient>(loop, connector, each);
      };
      worker.client = worker.another();
      worker.wait_retry = options.wait_retry;
      worker.max_wait_retry = options.max_wait_retry;
      worker.ttl = options.ttl;
      worker.weight = where.weight;
      worker.rate_limit = where.rate_limit;
      worker.priority = options.loadbalance
                            ? where.priority
                            : reserve_priority(where.priority, unsigned((host + hosts - preferred) % hosts));
    }
  }
  return workers;
}

void check_compression_level(int level) {
  if (level < 0 || level > 9)
    throw std::invalid_argument("a compression level is 0 to 9, not " + std::to_string(level));
}

}  // namespace windlass::runtime
