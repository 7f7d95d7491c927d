// Windlass: from clients to workers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <windlass/client.h>

namespace windlass {

namespace runtime {
class Loop;
}

/// One connection that the balancer is to work with.
struct Worker {
  using Client = std::variant<std::unique_ptr<SyncClient>, std::unique_ptr<AsyncClient>>;

  std::string endpoint;  ///< a name for statistics; connections to one endpoint share it
  Client client;
  /// Makes one more client like `client`. With it, a connection that is too old (`ttl`) is replaced without a pause:
  /// the new one is made first, and the old one finishes what it has in flight. Called from the loop thread; must not
  /// throw.
  std::function<Client()> another;
  std::chrono::nanoseconds wait_retry = std::chrono::seconds(1);       ///< backoff at first
  std::chrono::nanoseconds max_wait_retry = std::chrono::seconds(60);  ///< backoff at most
  std::chrono::nanoseconds ttl{0};  ///< a connection is replaced after this time, and loses nothing; 0: never
  unsigned weight = 1;              ///< its share, in proportion, of batches for which several would be as good
  unsigned priority = 0;            ///< a worker draws only while no worker of a lower number participates
  /// Events a second that its endpoint is given at most, by all connections of that name together; 0: as many as it
  /// takes. In any interval of T seconds it is given no more than rate_limit * T, a burst of a tenth of a second's
  /// worth (one event at least), and one batch, which for new events is no larger than the burst. Second sends count.
  /// The worker that joined last says it.
  double rate_limit = 0;
};

/// Makes workers of a balancer; called once, in its constructor or by add_workers, with the loop that the balancer runs
/// (only the clients that come with Windlass need it). Throws what it likes, which is passed on.
using WorkerFactory = std::function<std::vector<Worker>(runtime::Loop& loop)>;

/// A worker for each client, with this backoff. The factory can be used once.
WorkerFactory async_clients(std::vector<std::unique_ptr<AsyncClient>> clients, std::chrono::nanoseconds wait_retry,
                            std::chrono::nanoseconds max_wait_retry);
WorkerFactory sync_clients(std::vector<std::unique_ptr<SyncClient>> clients, std::chrono::nanoseconds wait_retry,
                           std::chrono::nanoseconds max_wait_retry);

}  // namespace windlass
