// Listens, and serves the connections that are made: what the sink and the relay have in common.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/config.h"
#include "app/server_connection.h"
#include "app/sink_pace.h"
#include "net/listener.h"

namespace windlass::app {

/// As many open files as the system allows without asking anybody.
void raise_file_limit();

/// Used from the io_context's thread only.
class Server final : public ConnectionOwner {
 public:
  struct Options {
    std::size_t max_connections = 1024;  ///< at each listener; further ones wait in the kernel
    int send_buffer = 0;                 ///< as net::Listener has it
    std::vector<RateFrom> rates = {};    ///< that events are taken at, as SinkFaults has them; none: without limit
  };
  struct Callbacks {
    /// Somebody has connected; open() is usually what follows.
    std::function<void(const ListenConfig&, std::unique_ptr<net::Stream>)> accepted;
    /// A connection could not be accepted, or its TLS handshake failed; it was logged.
    std::function<void()> failed;
    /// A connection that was opened is closed. May stop or close the server.
    std::function<void(ServerConnection&)> gone;
  };

  /// `context` must outlive the server.
  Server(boost::asio::io_context& context, Options options, Callbacks callbacks);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens, and prints it on standard output once connections can be made: "listening on lumberjack://10.0.0.1:5044",
  /// with the port that was found. Throws std::runtime_error that names the address or the certificate.
  void listen(const ListenConfig& config);
  /// Serves a connection.
  std::shared_ptr<ServerConnection> open(std::unique_ptr<net::Stream> stream,
                                         std::unique_ptr<Conversation> conversation);

  /// Listens no more; connections live on.
  void stop_listening();
  /// And connections take nothing more, answer what was taken, and close.
  void stop();
  /// Closes everything at once.
  void close();

  bool idle() const { return connections_.empty(); }
  std::vector<std::shared_ptr<ServerConnection>> connections() const;

 private:
  void on_has_more(const std::shared_ptr<ServerConnection>& connection) override;
  void on_gone(ServerConnection& connection) override;
  void plan_turns(base::Time now);
  void take_turns();

  boost::asio::io_context& context_;
  const Options options_;
  const Callbacks callbacks_;
  boost::asio::steady_timer turn_timer_;
  Pace pace_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unordered_map<ServerConnection*, std::shared_ptr<ServerConnection>> connections_;
  std::deque<std::shared_ptr<ServerConnection>> ready_;  // each at most once
  bool turns_planned_ = false;
};

}  // namespace windlass::app
