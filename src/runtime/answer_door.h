// The clients' door into the loop: what Link and Completion say.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include <windlass/result.h>

#include "core/action.h"
#include "runtime/loop.h"

namespace windlass::runtime {

struct Connected {
  core::ConnectionId connection;
};
struct Lost {
  core::ConnectionId connection;
  std::error_code error;
  std::string detail;
};
struct Disconnected {
  core::ConnectionId connection;
};
struct Alive {
  core::ConnectionId connection;
};
struct Progress {
  core::AttemptId attempt = 0;
  std::uint32_t count = 0;
};
struct Finished {
  core::AttemptId attempt = 0;
  PublishResult result;
};
using Answer = std::variant<Connected, Lost, Disconnected, Alive, Progress, Finished>;

/// Takes answers from any thread; those of the loop's own thread pass no lock. Lives as long as any Link or Completion,
/// and forgets everything once it is closed.
///
/// Bounded: a batch finishes once, a connection is made once and lost once, and hints (progress, signs of life) are
/// left out while too many answers wait, since a later answer says the same.
class AnswerDoor {
 public:
  AnswerDoor(std::shared_ptr<Loop> loop, std::size_t workers) : loop_(std::move(loop)), connections_(workers) {}

  void post(Answer answer);
  /// Whether an answer about this connection is news: it is the worker's latest, and has not said so before.
  bool first_connected(core::ConnectionId connection);
  bool first_lost(core::ConnectionId connection);

  // For the loop.

  /// A worker has a new connection, whose answers count from now on.
  void begin(core::ConnectionId connection);
  /// Exchanges what has come in for an empty vector.
  void take(std::vector<Answer>& answers);
  bool empty() const { return own_.empty() && !filled_.load(); }
  /// Forgets what has come in, and what other threads say from now on. The loop's thread is not to post any more.
  void close();

 private:
  struct Connection {
    std::uint32_t number = 0;
    bool connected = false;
    bool lost = false;
  };

  static constexpr std::size_t max_hints = 4096;

  std::shared_ptr<Loop> loop_;
  std::vector<Answer> own_;  ///< of the loop's thread
  std::mutex mutex_;
  std::vector<Answer> others_;
  std::vector<Connection> connections_;
  bool closed_ = false;
  std::atomic<bool> filled_{false};
};

}  // namespace windlass::runtime
