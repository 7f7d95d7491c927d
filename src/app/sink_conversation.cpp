#include "app/sink_conversation.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"

namespace windlass::app {

using Event = protocol::ServerConversation::Event;

SinkConversation::SinkConversation(std::unique_ptr<protocol::ServerConversation> server, const SinkFaults& faults,
                                   Recorder* recorder, SinkCounters& counters, KnownIds& ids, base::Time now)
    : faults_(faults),
      recorder_(recorder),
      counters_(counters),
      ids_(ids),
      server_(std::move(server)),
      spoke_at_(now),
      active_at_(now) {}

void SinkConversation::receive(std::string_view bytes, base::Time now) {
  if (ending()) return;
  if (!owes()) spoke_at_ = now;
  active_at_ = now;
  server_->receive(bytes);
  has_more_ = true;
}

std::uint64_t SinkConversation::take(std::uint64_t most, base::Time now) {
  WINDLASS_ASSERT(most > 0);
  const std::uint64_t before = taken_;
  while (has_more() && taken_ - before < most) {
    const auto event = server_->poll();
    if (!event) {
      // An answer may make room for another window.
      has_more_ = answer(now);
      if (!has_more_ && server_->error()) end_with(End::protocol_error, now);
      if (!has_more_ && server_->finished()) end_with(End::finished, now);
      continue;
    }
    switch (event->kind) {
      case Event::Kind::window_begun:
        window_count_ = event->number;
        window_taken_ = 0;
        break;
      case Event::Kind::event:
        take_event(*event, now);
        break;
      case Event::Kind::window_complete:
        ++counters_.windows;
        ++whole_windows_;
        window_taken_ = 0;
        answer_later(event->number, now);
        break;
    }
  }
  answer(now);
  return taken_ - before;
}

void SinkConversation::take_event(const Event& event, base::Time now) {
  if (!faults_.poison.empty() && event.payload.find(faults_.poison) != std::string_view::npos) {
    end_ = End::fault;
    return;
  }
  const std::uint32_t number = event.number;
  ++taken_;
  ++counters_.events;
  if (event.refused) {
    ++counters_.rejected;
  } else if (const auto why = refusal(event)) {
    server_->refuse(*why);
  } else {
    counters_.bytes += event.payload.size();
    if (recorder_ != nullptr) recorder_->add(event.payload);
  }
  window_taken_ = number;

  const bool enough = faults_.close_after > 0 && taken_ >= faults_.close_after;
  const bool part = faults_.ack_partial > 0 && number == faults_.ack_partial && number < window_count_;
  if (!enough && !part) return;
  answer_later(number, now);
  end_ = End::fault;
}

std::optional<protocol::ServerConversation::Refusal> SinkConversation::refusal(const Event& event) {
  using Refusal = protocol::ServerConversation::Refusal;
  if (!server_->can_refuse()) return std::nullopt;
  if (faults_.reject_every > 0 && counters_.events % faults_.reject_every == 0) {
    ++counters_.rejected;
    return Refusal::rejected;
  }
  if (faults_.throttle_every > 0 && counters_.events % faults_.throttle_every == 0) {
    ++counters_.throttled;
    return Refusal::throttled;
  }
  if (!faults_.fail.empty() && event.payload.find(faults_.fail) != std::string_view::npos) {
    ++counters_.failed;
    return Refusal::failed;
  }
  if (event.id.empty() || ids_.add(event.id)) return std::nullopt;
  if (event.replaces) {
    ++counters_.replaced;
    server_->replaced();
    return std::nullopt;
  }
  ++counters_.known;
  return Refusal::duplicate;
}

void SinkConversation::answer_later(std::uint32_t count, base::Time now) {
  if (!faults_.keepalive_only) answers_.push_back({base::after(now, faults_.delay), count});
}

bool SinkConversation::flush_record() {
  if (recorder_ == nullptr || !recorder_->flush()) return true;
  end_ = End::not_recorded;
  answers_.clear();
  return false;
}

/// Gives the answers that are due, and says whether there were any.
bool SinkConversation::answer(base::Time now) {
  if (answers_.empty() || answers_.front().due > now) return false;
  if (!flush_record()) return false;
  while (!answers_.empty() && answers_.front().due <= now) {
    const std::uint32_t count = answers_.front().count;
    answers_.pop_front();
    if (count == server_->oldest_count() && whole_windows_ > 0) --whole_windows_;
    server_->ack(count);
    ++counters_.acks;
    counters_.acked += count;
  }
  spoke_at_ = active_at_ = now;
  has_more_ = !ending();
  return true;
}

void SinkConversation::handle_timeout(base::Time now) {
  answer(now);
  if (ending()) return;
  if (owes()) {
    if (now < base::after(spoke_at_, interval()) || !flush_record()) return;
    if (server_->keep_alive()) ++counters_.keep_alives;
    spoke_at_ = active_at_ = now;
  } else if (now >= base::after(active_at_, idle_limit)) {
    ++counters_.idle_closes;
    end_ = End::idle;
  }
}

base::Time SinkConversation::next_timeout() const {
  const base::Time due = answers_.empty() ? base::never : answers_.front().due;
  if (ending()) return due;
  return std::min(due, owes() ? base::after(spoke_at_, interval()) : base::after(active_at_, idle_limit));
}

void SinkConversation::stop(base::Time now) {
  if (!ending() && window_taken_ > 0) answer_later(window_taken_, now);
  end_with(End::stopped, now);
}

Conversation::Farewell SinkConversation::farewell() const {
  switch (end_) {
    case End::none:
    case End::stopped:
    case End::finished:
    case End::not_recorded:
      break;
    case End::fault:
      return {"the sink was asked to", false, faults_.reset};
    case End::protocol_error:
      return {fmt::format("it breaks the protocol: {}", server_->error_detail()), true, false};
    case End::idle:
      return {fmt::format("it said nothing for {} s{}",
                          std::chrono::duration_cast<std::chrono::seconds>(idle_limit).count(),
                          busy() ? " inside a window" : ""),
              false, false};
  }
  return {};
}

/// What is still to be answered is answered at once.
void SinkConversation::end_with(End end, base::Time now) {
  if (end_ == End::none) {
    end_ = end;
    if (end == End::protocol_error) ++counters_.protocol_errors;
  }
  for (Answer& waiting : answers_) waiting.due = now;
  answer(now);
}

}  // namespace windlass::app
