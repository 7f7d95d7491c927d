// A Lumberjack server on loopback, with a thread of its own, that does what the test says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/tls.h"
#include "support/waiting.h"

namespace windlass {

class LumberjackPeer {
 public:
  /// One connection of a client. To be used in the script only.
  class Connection {
   public:
    virtual ~Connection() = default;
    /// Counts from 0, in the order of arrival.
    std::size_t number = 0;
    /// Windows that were received over it, the present one included.
    std::size_t windows = 0;

    virtual void ack(std::uint32_t count) = 0;
    virtual void keep_alive() = 0;
    /// Bytes that no server would send.
    virtual void say(std::string_view bytes) = 0;
    /// Once what is to be sent has been sent.
    virtual void close() = 0;
    virtual void reset() = 0;
  };
  using Events = std::vector<std::string>;
  /// Called for each window that has come in whole, from the peer's thread.
  using Script = std::function<void(Connection&, const Events&)>;

  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: one that is free
    std::optional<net::TlsContext> tls;
    Script script = acknowledge;
  };

  static void acknowledge(Connection& connection, const Events& events) {
    connection.ack(static_cast<std::uint32_t>(events.size()));
  }

  LumberjackPeer() : LumberjackPeer(Options()) {}
  explicit LumberjackPeer(Script script) : LumberjackPeer(with(std::move(script))) {}
  /// Listens at once. Throws when the address is not to be had.
  explicit LumberjackPeer(Options options);
  /// Closes everything.
  ~LumberjackPeer();
  LumberjackPeer(const LumberjackPeer&) = delete;
  LumberjackPeer& operator=(const LumberjackPeer&) = delete;

  std::uint16_t port() const;
  /// "127.0.0.1:4711".
  std::string address() const;

  // Thread-safe.

  /// What came in whole windows, whether it was acknowledged or not, in the order of arrival.
  Events received() const;
  std::vector<std::size_t> window_sizes() const;
  const test::Count& windows() const;
  const test::Count& connections() const;
  /// Handshakes that failed.
  const test::Count& refusals() const;
  /// Connections that clients have ended.
  const test::Count& ends() const;

  /// Ends the connections, and goes on listening.
  void close_connections();
  /// Does something on the peer's thread for each connection that stands.
  void for_each(std::function<void(Connection&)> something);

 private:
  static Options with(Script script) {
    Options options;
    options.script = std::move(script);
    return options;
  }

  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass
