#include "app/relay_conversation.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include <windlass/error.h>

#include "app/units.h"
#include "base/assert.h"

namespace windlass::app {
namespace {

using Event = protocol::LumberjackServer::Event;

protocol::LumberjackServer::Limits server_limits(const RelayIntake& intake) {
  protocol::LumberjackServer::Limits limits;
  limits.decoder.max_frame_bytes = intake.limits.event_bytes;
  return limits;
}

}  // namespace

RelayConversation::RelayConversation(RelayIntake& intake, std::uint32_t client, base::Time now)
    : intake_(intake),
      client_(client),
      server_(server_limits(intake)),
      spoke_at_(now),
      active_at_(now),
      progress_at_(now),
      output_taken_at_(now) {}

RelayConversation::~RelayConversation() {
  intake_.memory_held -= memory_counted_;
}

void RelayConversation::receive(std::string_view bytes, base::Time now) {
  if (ending()) return;
  look_at_output(now);
  if (!owes()) spoke_at_ = now;
  active_at_ = now;
  server_.receive(bytes);
  has_more_ = true;
  count_memory();
}

bool RelayConversation::wants_input() const {
  return !ending() && !waiting_for_room_ && server_.wants_input() && !intake_.reading_rests();
}

std::uint64_t RelayConversation::take(std::uint64_t most, base::Time now) {
  WINDLASS_ASSERT(most > 0);
  look_at_output(now);
  std::uint64_t taken = 0;
  while (has_more() && taken < most) {
    const auto event = server_.poll();
    if (!event) {
      has_more_ = false;
      if (server_.error()) {
        end_with(RelayEnd::protocol_error, std::string(server_.error_detail()));
      } else if (window_taken_ < window_count_) {
        hand_in();
      }
      server_.release_memory();
      break;
    }
    progress_at_ = now;
    switch (event->kind) {
      case Event::Kind::window_begun:
        window_count_ = event->number;
        window_taken_ = 0;
        window_complete_ = false;
        break;
      case Event::Kind::event:
        ++taken;
        window_taken_ = event->number;
        take_event(event->payload);
        break;
      case Event::Kind::window_complete:
        ++intake_.counters.windows;
        window_complete_ = true;
        hand_in();
        break;
    }
  }
  count_memory();
  return taken;
}

void RelayConversation::take_event(std::string_view payload) {
  if (!intake_.json_checker.is_object(payload))
    return end_with(RelayEnd::protocol_error,
                    fmt::format("event {} of a window of {} is no JSON object", window_taken_, window_count_));
  char* const to = events_.prepare(payload.size());
  // A newline between tokens means nothing to JSON, but much to protocols of lines.
  std::replace_copy_if(
      payload.begin(), payload.end(), to, [](char byte) { return byte == '\n' || byte == '\r'; }, ' ');
  events_.commit(payload.size());
  const bool enough = events_.size() >= intake_.limits.piece_events || events_.bytes() >= intake_.limits.piece_bytes;
  if (enough && window_taken_ < window_count_) hand_in();
}

/// What was taken since the last time, all of it events of one window, becomes a piece.
void RelayConversation::hand_in() {
  if (events_.empty()) return;
  const std::size_t count = events_.size();
  const std::size_t bytes = events_.bytes();
  const auto piece = first_piece_ + static_cast<std::uint32_t>(pieces_.size());
  const std::error_code refusal = intake_.publish(std::move(events_), client_, piece);
  waiting_for_room_ = refusal == errc::queue_full;
  if (waiting_for_room_) return;
  events_ = EventBuffer();
  if (refusal) return end_with(RelayEnd::stopped);
  pieces_.push_back({window_taken_, window_complete_});
  intake_.counters.events += count;
  intake_.counters.bytes += bytes;
}

void RelayConversation::go_on(base::Time now) {
  if (ending()) return;
  progress_at_ = active_at_ = now;
  if (!waiting_for_room_) return;
  hand_in();
  if (!waiting_for_room_) has_more_ = !ending();
  count_memory();
}

void RelayConversation::settled(std::uint32_t piece, const Outcome& outcome, base::Time now) {
  const std::uint32_t index = piece - first_piece_;
  if (index >= pieces_.size() || !acknowledges()) return;
  look_at_output(now);
  if (outcome.failed > outcome.dead_lettered) {
    pieces_.resize(index);
    if (outcome.reason == errc::closed) return end_with(RelayEnd::stopped);
    return end_with(RelayEnd::dropped, outcome.reason.message());
  }
  pieces_[index].done = true;
  acknowledge(now);
}

void RelayConversation::acknowledge(base::Time now) {
  const auto ack = [&](std::uint32_t count) {
    intake_.counters.acked += count - server_.oldest_acked();
    server_.ack(count);
    spoke_at_ = active_at_ = now;
  };
  std::uint32_t part = 0;
  while (!pieces_.empty() && pieces_.front().done) {
    const Piece piece = pieces_.front();
    pieces_.pop_front();
    ++first_piece_;
    part = piece.ends_window ? 0 : piece.last;
    if (!piece.ends_window) continue;
    ack(piece.last);
    ++intake_.counters.acked_windows;
    has_more_ = !ending();  // there is room for another window, which may have been received already
  }
  if (part > 0) ack(part);
}

void RelayConversation::handle_timeout(base::Time now) {
  look_at_output(now);
  if (finished()) return;
  const RelayIntake::Limits& limits = intake_.limits;
  if (server_.has_output() && now >= base::after(output_taken_at_, limits.window_timeout))
    return end_with(RelayEnd::deaf);
  if (inside_window() && wants_input() && now >= base::after(progress_at_, limits.window_timeout))
    return end_with(RelayEnd::half_window);
  if (owes()) {
    if (now < base::after(spoke_at_, limits.keep_alive_interval)) return;
    if (!server_.has_output()) ++intake_.counters.keep_alives;
    server_.keep_alive();
    spoke_at_ = active_at_ = now;
  } else if (!inside_window() && limits.inactivity_timeout > base::Duration(0) &&
             now >= base::after(active_at_, limits.inactivity_timeout)) {
    end_with(RelayEnd::idle);
  }
}

base::Time RelayConversation::next_timeout() const {
  base::Time next = base::never;
  if (finished()) return next;
  const RelayIntake::Limits& limits = intake_.limits;
  const auto at_latest = [&](base::Time since, base::Duration limit) {
    next = std::min(next, base::after(since, limit));
  };
  if (server_.has_output()) at_latest(output_taken_at_, limits.window_timeout);
  if (inside_window() && wants_input()) at_latest(progress_at_, limits.window_timeout);
  if (owes()) {
    at_latest(spoke_at_, limits.keep_alive_interval);
  } else if (!inside_window() && limits.inactivity_timeout > base::Duration(0)) {
    at_latest(active_at_, limits.inactivity_timeout);
  }
  return next;
}

void RelayConversation::count_memory() {
  const std::size_t held = memory();
  const bool more = held > memory_counted_;
  intake_.memory_held += held - memory_counted_;
  memory_counted_ = held;
  if (more) intake_.on_memory_held();
}

void RelayConversation::look_at_output(base::Time now) {
  if (!server_.has_output()) output_taken_at_ = now;
}

void RelayConversation::stop(base::Time) {
  end_with(RelayEnd::stopped);
}

void RelayConversation::cut_for_memory() {
  end_with(RelayEnd::memory, format_size(memory()));
}

void RelayConversation::end_with(RelayEnd end, std::string why) {
  if (ending()) return;
  end_ = end;
  why_ = std::move(why);
  events_ = EventBuffer();  // the peer still has them
  has_more_ = false;
  if (end != RelayEnd::stopped) ++intake_.counters.cut[end];
}

Conversation::Farewell RelayConversation::farewell() const {
  switch (end_) {
    case RelayEnd::none:
    case RelayEnd::stopped:
      break;
    case RelayEnd::protocol_error:
      return {fmt::format("it breaks the protocol: {}", why_), true, false};
    case RelayEnd::half_window:
      return {fmt::format("it has begun a window, and nothing came of it for {}",
                          format_duration(intake_.limits.window_timeout)),
              true, false};
    case RelayEnd::idle:
      return {fmt::format("it said nothing for {}", format_duration(intake_.limits.inactivity_timeout)), false, false};
    case RelayEnd::deaf:
      return {fmt::format("it took no answer for {}", format_duration(intake_.limits.window_timeout)), true, true};
    case RelayEnd::memory:
      return {fmt::format("it holds {} of what is not complete, more than any other client, and there is no room for "
                          "all of them",
                          why_),
              true, false};
    case RelayEnd::dropped:
      return {fmt::format("an event of it was dropped, and it is to send it again: {}", why_), true, false};
  }
  return {};
}

}  // namespace windlass::app
