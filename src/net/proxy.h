// A proxy on the way to an endpoint.
#pragma once

#include <string>
#include <string_view>

#include "net/address.h"
#include "protocol/proxy_client.h"

namespace windlass::net {

struct Proxy {
  protocol::ProxyClient::Kind kind = protocol::ProxyClient::Kind::http;
  HostPort at;
  std::string user = {};
  std::string password = {};
  /// Names of endpoints are looked up by us, and not by the proxy.
  bool resolve_here = false;
};

/// Reads "http://user:password@host:port" and "socks5://..." (socks5h:// is the same; ports 3128 and 1080). Throws
/// std::invalid_argument with a text that repeats nothing of the URL, which may hold a password.
Proxy parse_proxy_url(std::string_view url);

/// The conversation by which the proxy connects us to `target`.
protocol::ProxyClient conversation_with(const Proxy& proxy, const HostPort& target);

}  // namespace windlass::net
