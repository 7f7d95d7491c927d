// The clients of all workers, and what the core wants done with them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <windlass/workers.h>

#include "core/action.h"
#include "runtime/answer_door.h"
#include "runtime/sync_thread.h"

namespace windlass::runtime {

/// One place a worker, by its number. What clients answer comes in by the door. Used from the loop's thread.
class Channels {
 public:
  explicit Channels(std::shared_ptr<AnswerDoor> door) : door_(std::move(door)) {}

  /// The client of a new worker, which has one. Throws what the system does when a synchronous one gets no thread.
  void add(core::WorkerId id, Worker worker);
  std::size_t size() const { return channels_.size(); }
  /// Whether this worker has not left.
  bool is_open(core::WorkerId id) const { return channels_[id].async() || channels_[id].sync(); }
  const std::string& endpoint(core::WorkerId id) const { return channels_[id].endpoint; }

  void connect(core::ConnectionId connection, std::chrono::milliseconds timeout);
  /// Whether it is closed already; else Disconnected follows.
  bool disconnect(core::ConnectionId connection);
  void send(core::Send& send);
  /// A successor, with a client like the other's.
  void replace(const core::Replace& replace);
  void remove(core::WorkerId id);
  /// No client is called any more; those that are stuck in a call are waited for until the deadline.
  void finish(std::chrono::steady_clock::time_point deadline);

  /// Whether news of this connection are told: from connect() to disconnect().
  bool is_wanted(core::ConnectionId connection) const { return channels_[connection.worker].wanted == connection; }
  /// What the client said of the connection's end: kept while it is wanted.
  void note_end(core::ConnectionId connection, std::string detail);
  /// Gives that away. To be asked once the connection is not wanted any more.
  std::string end_of(core::WorkerId id) { return std::exchange(channels_[id].lost_detail, {}); }

 private:
  struct Channel {
    std::string endpoint;
    std::function<Worker::Client()> another;  ///< makes the client of a successor
    std::variant<std::unique_ptr<AsyncClient>, std::unique_ptr<SyncThread>> client;
    std::optional<core::ConnectionId> wanted;
    std::string lost_detail;

    AsyncClient* async() const;
    SyncThread* sync() const;
  };

  Channel& place_of(core::WorkerId id);
  Channel make(std::string endpoint, std::function<Worker::Client()> another, Worker::Client client) const;

  const std::shared_ptr<AnswerDoor> door_;
  std::vector<Channel> channels_;
  std::vector<std::unique_ptr<SyncThread>> leaving_;  ///< of workers that have left
};

}  // namespace windlass::runtime
