// Lumberjack version 2, the receiving side: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/bytes.h"
#include "wire/lumberjack_decoder.h"

namespace windlass::protocol {

/// Takes windows of events and acknowledges them when it is told to.
///
/// Commands: ack, keep_alive. Inputs: receive, and whoever takes from output(). Outputs: poll, wants_input, output.
///
/// The order of use: while wants_input(), read from the peer and receive(); poll() until it says nothing, or for as
/// long as there is room for more events; ack() when events are safe, poll() again; and look at error() whenever poll()
/// has nothing. Bytes are decoded as they are polled, so that an unpolled server holds one event and one read, whatever
/// the peer sends.
///
/// Sequence numbers follow one another by 1 inside a window, else it is an error. Clients begin each window with 1;
/// some count on from window to window, or from 0: acks count in the client's own numbers. A window of 0 events makes
/// no event, and needs no ack.
class LumberjackServer {
 public:
  struct Limits {
    /// 65'536 events a window, 10 MiB an event, 64 MiB a compressed frame, compressed and inflated.
    wire::lumberjack::DecoderLimits decoder = {};
    /// Windows without a full ack; at the limit the next one is not begun.
    std::size_t max_pending_windows = 8;
  };

  struct Event {
    enum class Kind {
      window_begun,     ///< `number` events follow
      event,            ///< one of them; its place in the window, from 1, is `number`: what ack() counts
      window_complete,  ///< all `number` events of the window were seen, and checksums were right
    };
    Kind kind;
    std::uint32_t number = 0;
    std::string_view payload;  ///< of an event; valid until the next call of receive() or poll()
  };

  LumberjackServer() : LumberjackServer(Limits()) {}
  explicit LumberjackServer(Limits limits);

  /// Takes bytes of the peer, as many as one read gives (64 KiB, say); they are copied. For a
  /// read that was begun while wants_input(), or after an error, which it then repeats. An error (errc::protocol_error)
  /// ends the conversation: nothing more is decoded, and the connection must be closed. Events that came before the
  /// error are still polled. It may also be found by poll().
  std::error_code receive(std::string_view bytes);

  /// The next event. Nothing when more bytes are needed, when max_pending_windows are open, or after an error.
  std::optional<Event> poll();

  /// Whether the peer is to be read. False while received bytes are still to be polled, while too many windows are open
  /// or the peer does not take its acks (stop reading: this is backpressure), and after an error.
  bool wants_input() const;

  /// Acknowledges the first `count` events of the oldest window without a full ack, all of which were polled. The count
  /// of the window completes it. A count that was acknowledged already changes nothing. There must be such a window.
  void ack(std::uint32_t count);
  /// Tells the peer that its window is still being worked on, unless an answer waits in output() anyway. Real clients
  /// wait 30 s or more for a sign of life; Logstash gives one each 5 s.
  void keep_alive();

  /// Bytes for the peer. The transport consumes them, or swaps the queue for an empty one.
  base::ByteQueue& output() { return output_; }

  /// Windows without a full ack, with the one that is being received.
  std::size_t pending() const { return windows_.size(); }
  /// Events of the oldest window without a full ack, and how many of them are acknowledged; 0 without one.
  std::uint32_t oldest_count() const { return windows_.empty() ? 0 : windows_.front().count; }
  std::uint32_t oldest_acked() const { return windows_.empty() ? 0 : windows_.front().acked; }

  std::error_code error() const { return error_; }
  /// What was expected and what was found, after an error: for the log.
  std::string_view error_detail() const { return error_detail_; }

 private:
  struct Window {
    std::uint32_t count;
    std::uint32_t acked = 0;
    std::uint32_t before_first = 0;  // the client's number of the first event, less 1
  };

  std::optional<Event> decode();
  void fail(std::string detail);

  Limits limits_;
  wire::lumberjack::FrameDecoder decoder_;
  std::deque<Window> windows_;
  bool receiving_ = false;         // a window was begun and is not complete
  std::uint32_t count_ = 0;        // of that window: events in all,
  std::uint32_t seen_ = 0;         // and handed out
  std::uint32_t next_number_ = 0;  // the client's number that must come next
  bool hungry_ = true;             // nothing can be decoded without more bytes
  std::optional<Event> next_;      // decoded by receive(), not yet polled
  base::ByteQueue output_;
  std::error_code error_;
  std::string error_detail_;
};

}  // namespace windlass::protocol
