// Lumberjack version 2, the sending side: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <windlass/batch.h>

#include "base/bytes.h"
#include "wire/lumberjack_decoder.h"
#include "wire/lumberjack_encoder.h"

namespace windlass::protocol {

/// Sends batches as windows and matches the peer's acks to them.
///
/// Command: send. Inputs: receive, and whoever takes from output(). Outputs: output, poll.
///
/// An ack carries no window's name. It counts inside the oldest window that is not acknowledged in full; the one that
/// reaches its end completes it, and the next ack belongs to the next window. An ack that counts no further than an
/// earlier one, and an ack of 0, only say that the peer lives. An ack beyond the window is an error, as is any but 0
/// while nothing is open.
///
/// What one may not conclude: that a window which was not acknowledged was not received.
class LumberjackClient {
 public:
  struct Options {
    int compression_level = 3;  ///< 0: none; 1 (fast) to 9 (small)
  };
  /// The most events in a batch given to send(): real servers refuse larger windows.
  static constexpr std::uint32_t max_window = 10'000;

  struct Event {
    enum class Kind {
      progress,  ///< the first `count` events of the window are acknowledged
      done,      ///< all of them, `count`, are; nothing more comes for this token
      alive,     ///< the peer gave a sign of life, without progress; no token, no count
    };
    Kind kind;
    std::uint64_t token = 0;
    std::uint32_t count = 0;
    friend bool operator==(const Event&, const Event&) = default;
  };

  LumberjackClient() : LumberjackClient(Options()) {}
  explicit LumberjackClient(Options options);

  /// Appends the batch (1 to max_window events) to output() as a window. `token` names it in events.
  /// How many windows are open at once is up to the caller. Not after an error.
  void send(std::uint64_t token, const Batch& batch);

  /// Bytes for the peer. The transport consumes them, or swaps the queue for an empty one.
  base::ByteQueue& output() { return output_; }

  /// Takes bytes of the peer. An error (errc::protocol_error) ends the conversation: the connection must be closed, as
  /// what later bytes mean is not known. Acks that came before it still count, and come out of poll().
  std::error_code receive(std::string_view bytes);

  /// The next event; nothing when there is none for now. Windows in the order of sending; of each only the latest
  /// progress, and none once it is done; then one `alive` for all keep-alives since the last. So what waits here is
  /// bounded by the open windows, however much the peer talks.
  std::optional<Event> poll();

  /// Windows without a full ack.
  std::size_t pending() const { return windows_.size() - done_; }

  std::error_code error() const { return error_; }
  /// What was expected and what was found, after an error.
  std::string_view error_detail() const { return error_detail_; }

 private:
  struct Window {
    std::uint64_t token;
    std::uint32_t count;
    std::uint32_t acked = 0;
    std::uint32_t reported = 0;  // of what is acked, the count that poll() has told
  };

  void on_ack(std::uint32_t sequence);
  void fail(std::string detail);

  wire::lumberjack::WindowEncoder encoder_;
  wire::lumberjack::AckDecoder decoder_;
  base::ByteQueue output_;
  std::deque<Window> windows_;  // the first done_ are acknowledged in full, and wait to be told
  std::size_t done_ = 0;
  bool alive_ = false;
  std::error_code error_;
  std::string error_detail_;
};

}  // namespace windlass::protocol
