// Connections that others make to us.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "net/address.h"
#include "net/stream.h"
#include "net/tls.h"

namespace boost::asio {
class io_context;
}

namespace windlass::net {

/// Listens on one address and hands out the connections, after their TLS handshake where there is one. Used from the
/// io_context's thread only.
class Listener {
 public:
  struct Options {
    /// A literal, or a name (looked up while constructing; its first address counts), or an empty host for every
    /// address of this machine, of both families. Port 0: one that is free.
    HostPort at;
    std::optional<TlsContext> tls;  ///< made by TlsContext::server
    std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(10);
    std::size_t max_handshakes = 256;  ///< TLS handshakes under way
    /// What the kernel holds of what a peer does not take, as SO_SNDBUF has it; 0: as much as the system likes.
    int send_buffer = 0;
    std::size_t max_connections = 4096;  ///< handshakes, and streams that are open; further ones wait in the kernel
  };
  using Accepted = std::function<void(std::unique_ptr<Stream>)>;
  /// A connection that could not be accepted, or whose handshake failed; "accepting: Too many open files",
  /// "TLS handshake with 10.0.0.1:4711: ...". The listener goes on.
  using Failed = std::function<void(std::error_code, const std::string& detail)>;

  /// Listens at once. `context` must outlive the listener. Throws std::system_error that names the address. Both
  /// callbacks come from the io_context; they may close or destroy the listener.
  Listener(boost::asio::io_context& context, Options options, Accepted accepted, Failed failed);
  /// Closes.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The address that is listened on, with the port that was found.
  const SocketAddress& local() const noexcept;
  std::uint16_t port() const noexcept { return local().port(); }

  /// Ends listening and the handshakes under way; no callback comes afterwards. Streams handed out live on.
  void close() noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace windlass::net
