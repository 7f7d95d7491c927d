// The sending side of any protocol: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include <windlass/batch.h>
#include <windlass/error.h>
#include <windlass/result.h>

#include "base/bytes.h"
#include "base/time.h"

namespace windlass::protocol {

/// Sends batches and says what came of each.
///
/// Commands: start, send. Inputs: tell_time, receive, receive_end, and whoever takes from output(). Outputs: ready,
/// can_send, output, poll, finished, error_detail.
///
/// The order of use: start() once the connection stands; send() while can_send(); after each of start, send, receive
/// and receive_end poll() until it says nothing, and take what is in output(); close the connection after an error, and
/// once finished().
class ClientConversation {
 public:
  struct Event {
    enum class Kind {
      progress,  ///< the first `count` events of the batch are acknowledged
      done,      ///< `result` is the outcome of the batch; nothing more comes for this token
      again,     ///< nothing came of the batch, and nobody is to blame; it is to be sent over the next connection
      alive,     ///< the peer gave a sign of life, without progress; no token, no count
    };
    Kind kind;
    std::uint64_t token = 0;
    std::uint32_t count = 0;  ///< of done: the events of the batch; of again: 0
    PublishResult result = {};
    friend bool operator==(const Event&, const Event&) = default;
  };

  virtual ~ClientConversation() = default;

  /// The connection stands: what comes before the first batch, if anything, goes to output().
  virtual void start() {}
  /// The handshake is done. Batches come only now; from the start where there is none.
  virtual bool ready() const { return true; }
  /// Whether send() may be called now: false before the handshake is done, and while the protocol wants an answer
  /// first.
  virtual bool can_send() const { return ready(); }

  /// The time of day, for those that read or write dates; told before each of the calls below.
  virtual void tell_time(base::WallTime) {}
  /// Appends the batch (not empty) to output(). `token` names it in events. Not after an error.
  virtual void send(std::uint64_t token, const Batch& batch) = 0;
  /// Bytes for the peer. The transport consumes them, or swaps the queue for an empty one.
  virtual base::ByteQueue& output() = 0;

  /// Takes bytes of the peer. An error ends the conversation: the connection must be closed, what has no result is not
  /// acknowledged. Results that came before it still count, and come out of poll().
  virtual std::error_code receive(std::string_view bytes) = 0;
  /// The connection has ended, for this reason: errc::connection_lost where the peer closed it. An error where that is
  /// a failure; none where it is the protocol's way, and then poll() has a result for every batch.
  virtual std::error_code receive_end(std::error_code reason) { return reason; }
  /// The conversation has come to an end that is no failure, every batch has its result, and for further ones a new
  /// connection is to be made.
  virtual bool finished() const { return false; }

  /// The next event; nothing when there is none for now. What waits here is bounded by the batches sent, however much
  /// the peer talks.
  virtual std::optional<Event> poll() = 0;

  /// What was expected and what was found, after an error; may be empty.
  virtual std::string_view error_detail() const = 0;
};

}  // namespace windlass::protocol
