// The listening side of a relay: its clients, on a thread of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <windlass/load_balancer.h>

#include "app/config.h"
#include "app/relay_conversation.h"

namespace windlass::app {

/// Listens, takes what Lumberjack clients send, publishes it, and acknowledges it once it is done. One thread serves
/// all clients; the signals of the balancer come back to it through one mailbox. What the queue has no room for stays
/// with the clients: they are not read meanwhile.
class RelayServer {
 public:
  struct Options {
    std::vector<ListenConfig> listen;  ///< at least one
    std::size_t max_clients = 10'000;  ///< at each of them
    /// For what clients have sent and what is not complete, or waits for room. Where it is used up, those who wait for
    /// room are not read, and whoever holds the most of what is not complete is cut.
    std::size_t receive_bytes = std::size_t{256} << 20;
    RelayIntake::Limits limits;
    /// How many dead letters could not be kept so far: those count as dropped, and are left to the clients. From any
    /// thread. May be empty.
    std::function<std::uint64_t()> letters_lost;
  };

  /// Listens at once. Throws std::runtime_error that names the address or the certificate. The balancer must outlive
  /// the server, and be closed before the server is destroyed, unless the server never published.
  RelayServer(LoadBalancer& balancer, Options options);
  /// Closes.
  ~RelayServer();
  RelayServer(const RelayServer&) = delete;
  RelayServer& operator=(const RelayServer&) = delete;

  /// Listens and takes no more. What was handed in is acknowledged as it gets done; then connections are closed.
  void stop();
  /// To be called once the balancer is closed: waits until the clients have their last answers, which takes some
  /// seconds at most, and ends. The numbers are complete then.
  RelayCounters finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::app
