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
#include "protocol/server_conversation.h"
#include "wire/lumberjack_decoder.h"

namespace windlass::protocol {

/// Bytes are decoded as they are polled, so that an unpolled server holds one event and one read, whatever the peer
/// sends.
///
/// Sequence numbers follow one another by 1 inside a window, else it is an error. Clients begin each window with 1;
/// some count on from window to window, or from 0: acks count in the client's own numbers. A window of 0 events makes
/// no event, and needs no ack.
class LumberjackServer final : public ServerConversation {
 public:
  struct Limits {
    /// 65'536 events a window, 10 MiB an event, 64 MiB a compressed frame, compressed and inflated.
    wire::lumberjack::DecoderLimits decoder = {};
    /// Windows without a full ack; at the limit the next one is not begun.
    std::size_t max_pending_windows = 8;
  };

  LumberjackServer() : LumberjackServer(Limits()) {}
  explicit LumberjackServer(Limits limits);

  /// The error is errc::protocol_error.
  std::error_code receive(std::string_view bytes) override;
  /// A window is complete only when checksums were right.
  std::optional<Event> poll() override;
  bool wants_input() const override;

  void ack(std::uint32_t count) override;
  /// Real clients wait 30 s or more for a sign of life; Logstash gives one each 5 s.
  bool keep_alive() override;

  base::ByteQueue& output() override { return output_; }
  bool has_output() const { return !output_.empty(); }

  std::size_t pending() const override { return windows_.size(); }
  std::uint32_t oldest_count() const override { return windows_.empty() ? 0 : windows_.front().count; }
  std::uint32_t oldest_acked() const override { return windows_.empty() ? 0 : windows_.front().acked; }

  std::error_code error() const override { return error_; }
  std::string_view error_detail() const override { return error_detail_; }

  /// Bytes of memory held for what was received and not handed out.
  std::size_t memory() const { return decoder_.memory(); }
  /// Gives back what of it is not needed to go on: for a peer that rests.
  void release_memory() { decoder_.release_memory(); }

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
