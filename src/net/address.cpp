#include "net/address.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <stdexcept>

#include "base/assert.h"

namespace windlass::net {
namespace {

constexpr std::size_t max_host_length = 255;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw std::invalid_argument("\"" + std::string(text) + "\" is not an address: " + why +
                              " (expected host, host:port or [address]:port)");
}

std::uint16_t parse_port(std::string_view text, std::string_view port) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size())
    refuse(text, "the port \"" + std::string(port) + "\" is not a number from 0 to 65535");
  return number;
}

bool is_ipv6(std::string_view literal) {
  const auto address = SocketAddress::from_literal(std::string(literal), 0);
  return address && address->family() == AF_INET6;
}

}  // namespace

HostPort parse_host_port(std::string_view text, std::uint16_t default_port) {
  if (text.empty()) refuse(text, "it is empty");
  std::string_view host = text;
  std::string_view rest;
  if (text.front() == '[') {
    const auto bracket = text.find(']');
    if (bracket == text.npos) refuse(text, "a closing bracket is missing");
    host = text.substr(1, bracket - 1);
    rest = text.substr(bracket + 1);
    if (!is_ipv6(host)) refuse(text, "there is no IPv6 address in the brackets");
    if (!rest.empty() && rest.front() != ':') refuse(text, "only a port may follow the bracket");
  } else if (const auto colons = std::count(text.begin(), text.end(), ':'); colons == 1) {
    host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
  } else if (colons > 1 && !is_ipv6(text)) {
    refuse(text, "it has several colons, but is no IPv6 address");
  }
  const auto is_allowed = [](unsigned char byte) {
    return byte > ' ' && byte != 0x7f && !std::strchr("/@?#[]\"", byte);
  };
  if (!std::all_of(host.begin(), host.end(), is_allowed))
    refuse(text, "the host has a character that no host may have");
  if (host.size() > max_host_length) refuse(text, "the host is too long");
  return {std::string(host), rest.empty() ? default_port : parse_port(text, rest.substr(1))};
}

std::string to_string(const HostPort& address) {
  const bool has_colon = address.host.find(':') != std::string::npos;
  return (has_colon ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t size) : size_(size) {
  WINDLASS_ASSERT(size <= sizeof storage_);
  std::memcpy(&storage_, address, size);
}

std::optional<SocketAddress> SocketAddress::from_literal(const std::string& literal, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (literal.empty() || getaddrinfo(literal.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  SocketAddress address(found->ai_addr, found->ai_addrlen);
  address.set_port(port);
  return address;
}

std::uint16_t SocketAddress::port() const noexcept {
  // Both families have the port at the same place; memcpy keeps the compiler's aliasing rules.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  in_port_t port = 0;
  std::memcpy(&port, reinterpret_cast<const char*>(&storage_) + offsetof(sockaddr_in, sin_port), sizeof port);
  return ntohs(port);
}

void SocketAddress::set_port(std::uint16_t port) noexcept {
  const in_port_t network_order = htons(port);
  std::memcpy(reinterpret_cast<char*>(&storage_) + offsetof(sockaddr_in, sin_port), &network_order,
              sizeof network_order);
}

std::string to_string(const SocketAddress& address) {
  char host[NI_MAXHOST];
  if (getnameinfo(address.data(), address.size(), host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) return "unknown";
  return to_string(HostPort{host, address.port()});
}

}  // namespace windlass::net
