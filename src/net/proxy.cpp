#include "net/proxy.h"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <optional>
#include <stdexcept>

#include "base/text.h"

namespace windlass::net {
namespace {

using Kind = protocol::ProxyClient::Kind;

// Of a user and of a password: what SOCKS5 can carry.
constexpr std::size_t longest_credential = 255;

[[noreturn]] void refuse(const char* why) {
  throw std::invalid_argument(
      std::string("expected http://user:password@host:port or socks5://user:password@host:port; ") + why);
}

int digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
      refuse("a % stands before two hexadecimal digits");
    result += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  if (result.size() > longest_credential) refuse("user and password have at most 255 bytes");
  return result;
}

std::string basic(const std::string& user, const std::string& password) {
  const std::string both = user + ':' + password;
  std::string text((both.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with a NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(both.data()), static_cast<int>(both.size()));
  text.resize(static_cast<std::size_t>(size));
  return "Basic " + text;
}

/// The bytes of an address, as SOCKS5 wants them; empty for a name.
std::string bytes_of(const std::string& host) {
  const std::optional<SocketAddress> literal = SocketAddress::from_literal(host, 0);
  if (!literal) return {};
  if (literal->family() == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, literal->data(), sizeof address);
    return {reinterpret_cast<const char*>(&address.sin_addr), sizeof address.sin_addr};
  }
  sockaddr_in6 address;
  std::memcpy(&address, literal->data(), sizeof address);
  return {reinterpret_cast<const char*>(&address.sin6_addr), sizeof address.sin6_addr};
}

}  // namespace

Proxy parse_proxy_url(std::string_view url) {
  Proxy proxy;
  const auto colon = url.find("://");
  if (colon == url.npos) refuse("there is no scheme");
  const std::string scheme = base::to_lower(url.substr(0, colon));
  if (scheme == "socks5" || scheme == "socks5h")
    proxy.kind = Kind::socks5;
  else if (scheme != "http")
    refuse("other proxies are not supported");
  std::string_view rest = url.substr(colon + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (const auto at = rest.rfind('@'); at != rest.npos) {
    const std::string_view both = rest.substr(0, at);
    const auto middle = std::min(both.find(':'), both.size());
    proxy.user = decoded(both.substr(0, middle));
    proxy.password = decoded(both.substr(std::min(middle + 1, both.size())));
    if (proxy.kind == Kind::http && proxy.user.find(':') != std::string::npos) refuse("a user has no colon");
    if (proxy.kind == Kind::socks5 && proxy.user.empty() && !proxy.password.empty()) refuse("there is no user");
    rest = rest.substr(at + 1);
  }
  try {
    proxy.at = parse_host_port(rest, proxy.kind == Kind::http ? 3128 : 1080);
  } catch (const std::invalid_argument&) {
    refuse("the host and the port cannot be read");
  }
  if (proxy.at.host.empty() || proxy.at.port == 0) refuse("there is no host, or a port of 0");
  return proxy;
}

protocol::ProxyClient conversation_with(const Proxy& proxy, const HostPort& target) {
  protocol::ProxyClient::Options options;
  options.kind = proxy.kind;
  // The zone of a link-local address is ours alone.
  options.host = target.host.substr(0, target.host.find('%'));
  options.port = target.port;
  options.user = proxy.user;
  options.password = proxy.password;
  if (!proxy.user.empty() || !proxy.password.empty()) options.authorization = basic(proxy.user, proxy.password);
  options.address = bytes_of(options.host);
  return protocol::ProxyClient(std::move(options));
}

}  // namespace windlass::net
