// What the program says on one connection that somebody else made, and when: no I/O, no clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace windlass::app {

/// The serving side of one connection: an endpoint (sink) or the relay's, in any protocol. ServerConnection gives it
/// bytes and the time.
///
/// The order of use: while wants_input(), read and receive(); while has_more(), take(); call handle_timeout() at
/// next_timeout(); after each of these send what is in output(), and once finished() and that is sent, close the
/// connection.
class Conversation {
 public:
  /// How the connection is to be closed once it has finished.
  struct Farewell {
    std::string why;          ///< for the log, as in "closed, as WHY"; empty: nothing worth telling
    bool is_warning = false;  ///< the peer is to blame
    bool by_reset = false;    ///< with RST, not with FIN
  };

  virtual ~Conversation() = default;

  /// Bytes of the peer, by copy; only for a read that was begun while wants_input().
  virtual void receive(std::string_view bytes, base::Time now) = 0;
  virtual bool wants_input() const = 0;

  /// Takes at most `most` (at least 1) of the events that came, and returns how many it took.
  virtual std::uint64_t take(std::uint64_t most, base::Time now) = 0;
  /// Whether take() may find something.
  virtual bool has_more() const = 0;

  virtual void handle_timeout(base::Time now) = 0;
  virtual base::Time next_timeout() const = 0;

  /// Takes nothing more, answers what was taken, and then finishes.
  virtual void stop(base::Time now) = 0;

  virtual base::ByteQueue& output() = 0;
  virtual bool finished() const = 0;
  virtual Farewell farewell() const = 0;
  /// Whether the peer waits for an answer, or has begun something that is not complete: its end now is worth telling.
  virtual bool busy() const = 0;
};

}  // namespace windlass::app
