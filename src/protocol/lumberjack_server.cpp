#include "protocol/lumberjack_server.h"

#include <fmt/format.h>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"
#include "wire/lumberjack_encoder.h"

namespace windlass::protocol {

namespace {

// Acks that a peer leaves untaken before it is read no further.
constexpr std::size_t max_unsent = std::size_t{64} << 10;

}  // namespace

using wire::lumberjack::Frame;

LumberjackServer::LumberjackServer(Limits limits) : limits_(limits), decoder_(limits.decoder) {
  WINDLASS_ASSERT(limits.max_pending_windows > 0);
}

std::error_code LumberjackServer::receive(std::string_view bytes) {
  if (error_) return error_;
  WINDLASS_ASSERT(hungry_ && !next_);
  decoder_.feed(bytes);
  hungry_ = false;
  next_ = decode();
  return error_;
}

std::optional<LumberjackServer::Event> LumberjackServer::poll() {
  if (next_) return std::exchange(next_, std::nullopt);
  return decode();
}

bool LumberjackServer::wants_input() const {
  const bool room = receiving_ || windows_.size() < limits_.max_pending_windows;
  return !error_ && !next_ && hungry_ && room && output_.size() < max_unsent;
}

std::optional<LumberjackServer::Event> LumberjackServer::decode() {
  while (!error_) {
    // Complete only when the C frame that the last event stood in is, too: its checksum comes last.
    if (receiving_ && seen_ == count_ && !decoder_.inside_compressed()) {
      receiving_ = false;
      return Event{Event::Kind::window_complete, count_, {}};
    }
    if (!receiving_ && windows_.size() >= limits_.max_pending_windows) break;
    const std::optional<Frame> frame = decoder_.next();
    if (!frame) {
      hungry_ = true;
      if (decoder_.error()) fail(decoder_.error_detail());
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
  Window& oldest = windows_.front();
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

void LumberjackServer::fail(std::string detail) {
  error_ = errc::protocol_error;
  error_detail_ = std::move(detail);
}

}  // namespace windlass::protocol
