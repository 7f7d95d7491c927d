// Lumberjack version 2, the receiving side: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/windowed_server.h"
#include "wire/lumberjack_decoder.h"

namespace windlass::protocol {

struct LumberjackWindow {
  std::uint32_t count;
  std::uint32_t acked = 0;
  std::uint32_t before_first = 0;  ///< the client's number of the first event, less 1
};

/// A window is complete only when checksums were right.
///
/// Sequence numbers follow one another by 1 inside a window, else it is an error. Clients begin each window with 1;
/// some count on from window to window, or from 0: acks count in the client's own numbers. A window of 0 events makes
/// no event, and needs no ack.
class LumberjackServer final : public WindowedServer<wire::lumberjack::FrameDecoder, LumberjackWindow> {
 public:
  struct Limits {
    /// 65'536 events a window, 10 MiB an event, 64 MiB a compressed frame, compressed and inflated.
    wire::lumberjack::DecoderLimits decoder = {};
    /// Windows without a full ack; at the limit the next one is not begun.
    std::size_t max_pending_windows = 8;
  };

  LumberjackServer() : LumberjackServer(Limits()) {}
  explicit LumberjackServer(Limits limits);

  void ack(std::uint32_t count) override;
  /// Real clients wait 30 s or more for a sign of life; Logstash gives one each 5 s.
  bool keep_alive() override;

  bool has_output() const { return !output_.empty(); }

  /// Bytes of memory held for what was received and not handed out.
  std::size_t memory() const { return decoder_.memory(); }
  /// Gives back what of it is not needed to go on: for a peer that rests.
  void release_memory() { decoder_.release_memory(); }

 private:
  std::optional<Event> decode() override;
  bool has_room() const override { return receiving_ || may_begin_window(); }

  bool receiving_ = false;         // a window was begun and is not complete
  std::uint32_t count_ = 0;        // of that window: events in all,
  std::uint32_t seen_ = 0;         // and handed out
  std::uint32_t next_number_ = 0;  // the client's number that must come next
};

}  // namespace windlass::protocol
