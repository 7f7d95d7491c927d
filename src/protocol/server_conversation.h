// The receiving side of any protocol: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/bytes.h"

namespace windlass::protocol {

/// Takes windows of events (what a peer sends to be answered as a whole: a Lumberjack window, an HTTP request) and
/// answers them when it is told to.
///
/// Commands: ack, refuse, keep_alive. Inputs: receive, and whoever takes from output(). Outputs: poll, wants_input,
/// output, finished.
///
/// The order of use: while wants_input(), read from the peer and receive(); poll() until it says nothing, or for as
/// long as there is room for more events; ack() when events are safe, poll() again; and look at error() whenever poll()
/// has nothing. Send what is in output() after each of these, after an error too, and close the connection once that is
/// done and there was an error, or once finished().
class ServerConversation {
 public:
  struct Event {
    enum class Kind {
      window_begun,     ///< `number` events follow
      event,            ///< one of them; its place in the window, from 1, is `number`: what ack() counts
      window_complete,  ///< all `number` events of the window were seen
    };
    Kind kind;
    std::uint32_t number = 0;
    std::string_view payload = {};  ///< of an event; valid until the next call of receive() or poll()
    /// Of an event that is to be stored once, whatever is sent; else empty; valid as payload.
    std::string_view id = {};
    bool replaces = false;  ///< an event with its id that was taken before, whose place it takes: see replaced()
    bool refused = false;   ///< by the conversation itself: it is to be counted, and not to be taken
  };

  /// Why an event is not taken.
  enum class Refusal {
    duplicate,  ///< one with its id was taken before
    rejected,   ///< for good
    throttled,  ///< it may be sent again
    failed,     ///< it could not be stored, for a fault of the server's
  };

  virtual ~ServerConversation() = default;

  /// Takes bytes of the peer, as many as one read gives (64 KiB, say); they are copied. For a read that was begun while
  /// wants_input(), or after an error, which it then repeats. An error ends the conversation: nothing more is decoded,
  /// and the connection must be closed. Events that came before the error are still polled. It may also be found by
  /// poll().
  virtual std::error_code receive(std::string_view bytes) = 0;

  /// The next event. Nothing when more bytes are needed, when too many windows are open, or after an error.
  virtual std::optional<Event> poll() = 0;

  /// Whether the peer is to be read. False while received bytes are still to be polled, while too many windows are open
  /// or the peer does not take its answers (stop reading: this is backpressure), and after an error.
  virtual bool wants_input() const = 0;

  /// Acknowledges the first `count` events of the oldest window without a full ack, all of which were polled. The count
  /// of the window completes it. A count that was acknowledged already changes nothing. There must be such a window.
  /// Where the protocol answers windows as a whole, nothing is said before it is complete.
  virtual void ack(std::uint32_t count) = 0;
  /// Whether single events can be refused.
  virtual bool can_refuse() const { return false; }
  /// The answer for the event that was polled last is to be this one. While can_refuse().
  virtual void refuse(Refusal) {}
  /// The event that was polled last, one that replaces, has taken the place of one with its id.
  virtual void replaced() {}
  /// Tells the peer that its window is still being worked on, unless an answer waits in output() anyway, or the
  /// protocol has no such word. True when it was said.
  virtual bool keep_alive() { return false; }

  /// Bytes for the peer. The transport consumes them, or swaps the queue for an empty one.
  virtual base::ByteQueue& output() = 0;
  /// The conversation has come to its end in good order.
  virtual bool finished() const { return false; }

  /// Windows without a full ack, with the one that is being received.
  virtual std::size_t pending() const = 0;
  /// Events of the oldest window without a full ack, and how many of them are acknowledged; 0 without one.
  virtual std::uint32_t oldest_count() const = 0;
  virtual std::uint32_t oldest_acked() const = 0;

  virtual std::error_code error() const = 0;
  /// What was expected and what was found, after an error: for the log.
  virtual std::string_view error_detail() const = 0;
};

}  // namespace windlass::protocol
