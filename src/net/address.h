// Where a peer is: as configured (a name or a literal, and a port) and as the kernel wants it.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace windlass::net {

/// A host, by name or by address (without brackets), and a TCP port.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// Reads "name", "name:5044", "10.0.0.1:5044", "[::1]", "[::1]:5044", and "::1" (a literal with more than one colon
/// needs brackets only where a port follows). The host may be empty (":5044": every address of this machine, for a
/// listener). Throws std::invalid_argument with a text that quotes `text` and says what was expected.
HostPort parse_host_port(std::string_view text, std::uint16_t default_port);

/// "name:5044", "[::1]:5044".
std::string to_string(const HostPort& address);

/// An IPv4 or IPv6 address with a port, in the kernel's form.
class SocketAddress {
 public:
  SocketAddress() = default;
  /// Copies a sockaddr_in or sockaddr_in6; `size` is its size.
  SocketAddress(const sockaddr* address, socklen_t size);
  /// The address that `literal` spells ("10.0.0.1", "::1", "fe80::1%eth0"); nothing when it spells none.
  static std::optional<SocketAddress> from_literal(const std::string& literal, std::uint16_t port);

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const noexcept { return size_; }
  /// AF_INET or AF_INET6; AF_UNSPEC when default-constructed.
  int family() const noexcept { return storage_.ss_family; }
  std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;

  friend bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept {
    return a.size_ == b.size_ && std::memcmp(&a.storage_, &b.storage_, a.size_) == 0;
  }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// "10.0.0.1:5044", "[::1]:5044".
std::string to_string(const SocketAddress& address);

}  // namespace windlass::net
