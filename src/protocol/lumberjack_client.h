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
#include "protocol/client_conversation.h"
#include "wire/lumberjack_decoder.h"
#include "wire/lumberjack_encoder.h"

namespace windlass::protocol {

/// Sends batches as windows and matches the peer's acks to them.
///
/// An ack carries no window's name. It counts inside the oldest window that is not acknowledged in full; the one that
/// reaches its end completes it, and the next ack belongs to the next window. An ack that counts no further than an
/// earlier one, and an ack of 0, only say that the peer lives. An ack beyond the window is an error, as is any but 0
/// while nothing is open.
///
/// What one may not conclude: that a window which was not acknowledged was not received.
class LumberjackClient final : public ClientConversation {
 public:
  struct Options {
    int compression_level = 3;  ///< 0: none; 1 (fast) to 9 (small)
  };
  /// The most events in a window: real servers refuse larger ones. A larger batch is sent as several.
  static constexpr std::uint32_t max_window = 10'000;

  LumberjackClient() : LumberjackClient(Options()) {}
  explicit LumberjackClient(Options options);

  /// How many windows are open at once is up to the caller.
  void send(std::uint64_t token, const Batch& batch) override;
  base::ByteQueue& output() override { return output_; }
  /// The error is errc::protocol_error.
  std::error_code receive(std::string_view bytes) override;
  /// Batches in the order of sending; of each only the latest progress, and none once it is done; then one `alive` for
  /// all keep-alives since the last.
  std::optional<Event> poll() override;

  /// Windows without a full ack.
  std::size_t pending() const { return windows_.size() - done_; }

  std::error_code error() const { return error_; }
  std::string_view error_detail() const override { return error_detail_; }

 private:
  struct Window {
    std::uint64_t token;
    std::uint32_t first;  // events of the batch before it
    std::uint32_t count;
    bool last;  // of the batch
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
