#include "protocol/lumberjack_server.h"

#include <fmt/format.h>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"
#include "wire/lumberjack_encoder.h"

namespace windlass::protocol {

using wire::lumberjack::Frame;

LumberjackServer::LumberjackServer(Limits limits)
    : WindowedServer(wire::lumberjack::FrameDecoder(limits.decoder), limits.max_pending_windows) {}

std::optional<LumberjackServer::Event> LumberjackServer::decode() {
  while (!error()) {
    // Complete only when the C frame that the last event stood in is, too: its checksum comes last.
    if (receiving_ && seen_ == count_ && !decoder_.inside_compressed()) {
      receiving_ = false;
      return Event{Event::Kind::window_complete, count_, {}};
    }
    if (!has_room()) break;
    const std::optional<Frame> frame = decoder_.next();
    if (!frame) {
      starve();
      break;
    }
    switch (frame->kind) {
      case Frame::Kind::window:
        if (receiving_) {
          fail(fmt::format("a new window begins after {} of {} events", seen_, count_));
          break;
        }
        if (frame->number == 0) break;
        receiving_ = true;
        count_ = frame->number;
        seen_ = 0;
        windows_.push_back({count_});
        return Event{Event::Kind::window_begun, count_, {}};
      case Frame::Kind::event:
        if (!receiving_ || seen_ == count_) {
          fail(receiving_ ? fmt::format("an event more than the {} of its window", count_)
                          : "an event outside of a window");
          break;
        }
        if (seen_ == 0) {
          windows_.back().before_first = frame->number - 1;
        } else if (frame->number != next_number_) {
          fail(fmt::format("event {} follows event {}", frame->number, next_number_ - 1));
          break;
        }
        next_number_ = frame->number + 1;
        return Event{Event::Kind::event, ++seen_, frame->payload};
      case Frame::Kind::compressed_end:
        if (!receiving_) fail("a compressed frame outside of a window");
        break;
    }
  }
  return std::nullopt;
}

void LumberjackServer::ack(std::uint32_t count) {
  WINDLASS_ASSERT(!windows_.empty());
  LumberjackWindow& oldest = windows_.front();
  WINDLASS_ASSERT(count <= (receiving_ && windows_.size() == 1 ? seen_ : oldest.count));
  if (count <= oldest.acked) return;
  oldest.acked = count;
  wire::lumberjack::encode_ack(oldest.before_first + count, output_);
  if (count == oldest.count) windows_.pop_front();
}

bool LumberjackServer::keep_alive() {
  if (!output_.empty()) return false;
  wire::lumberjack::encode_ack(0, output_);
  return true;
}

}  // namespace windlass::protocol
