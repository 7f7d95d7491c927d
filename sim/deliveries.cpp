#include "deliveries.h"

#include <algorithm>
#include <fmt/format.h>

#include "violation.h"

namespace windlass::sim {

void Deliveries::accept(const NumberedSubmission& submission, bool unlimited) {
  const auto count = static_cast<std::uint32_t>(submission.size());
  Publish publish;
  publish.first = next_event();
  publish.count = count;
  publish.bytes = submission.bytes();
  publish.signalling = submission.signalling;
  publish.unlimited = unlimited;
  Event event;
  event.publish = static_cast<std::uint32_t>(publishes_.size());
  publishes_.push_back(publish);
  events_.resize(events_.size() + count, event);
  sums_[static_cast<std::size_t>(Fate::queued)] += count;
  held_bytes_ += publish.bytes;
}

void Deliveries::change(Event& event, Fate to) {
  --sums_[static_cast<std::size_t>(event.fate)];
  ++sums_[static_cast<std::size_t>(to)];
  event.fate = to;
}

void Deliveries::move(std::span<const EventNumber> events, Fate to) {
  for (const EventNumber number : events) change(events_[number], to);
}

void Deliveries::end(Event& event, Fate fate, errc reason, bool certain) {
  change(event, fate);
  event.reason = reason;
  hopeless_ -= event.hopeless;
  Publish& publish = publishes_[event.publish];
  if (fate == Fate::acked) {
    ++publish.acked;
  } else {
    ++publish.failed;
    publish.reason = reason;
    publish.reason_is_certain &= certain;
  }
  const bool ended = publish.ended();
  if (ended) held_bytes_ -= publish.bytes;
  signals_due_ +=
      publish.signalling == core::Signalling::each || (ended && publish.signalling == core::Signalling::all);
}

void Deliveries::ack(std::span<const EventNumber> events) {
  for (const EventNumber number : events) end(events_[number], Fate::acked, {}, true);
}

void Deliveries::drop(std::span<const EventNumber> events, errc reason, bool certain) {
  for (const EventNumber number : events) end(events_[number], Fate::dropped, reason, certain);
  (certain ? dropped_[reason] : dropped_for_a_doubtful_reason_) += events.size();
}

void Deliveries::give_no_hope(EventNumber number) {
  events_[number].hopeless = true;
  ++hopeless_;
}

void Deliveries::give_up(EventNumber number, const Letter& letter, bool dead_letter) {
  end(events_[number], Fate::rejected, letter.reason, true);
  if (dead_letter) {
    ++dead_lettered_;
    letters_due_.emplace_back(number, letter);
  } else {
    ++dropped_[letter.reason];
  }
}

EventNumber Deliveries::settled(const core::Settled& settled) {
  const auto& submission = static_cast<const NumberedSubmission&>(*settled.submission);
  if (submission.number >= publishes_.size())
    throw Violation("only an accepted publish has a signal", "a refused one was signalled");
  Publish& publish = publishes_[submission.number];
  switch (publish.signalling) {
    case core::Signalling::none:
      throw Violation("who wants no signal hears none", fmt::format("publish {} did", submission.number));
    case core::Signalling::all:
      check_signal_of_publish(settled, publish);
      break;
    case core::Signalling::each:
      check_signals_of_events(settled, publish);
      break;
  }
  return publish.first + settled.first;
}

void Deliveries::check_signal_of_publish(const core::Settled& settled, Publish& publish) {
  const std::string name =
      fmt::format("the publish of events #{} to #{}", publish.first, publish.first + publish.count - 1);
  if (publish.signalled) throw Violation("exactly one signal", name + " has another one");
  if (!publish.ended())
    throw Violation("no signal before the end",
                    fmt::format("{}: {} acked and {} failed", name, publish.acked, publish.failed));
  if (settled.first != 0 || settled.count != publish.count)
    throw Violation("a signal is for the whole publish", fmt::format("{}: {} events", name, settled.count));
  if (settled.submission->acked != publish.acked || settled.submission->failed != publish.failed)
    throw Violation("a signal has the sums",
                    fmt::format("{}: {} acked and {} failed instead of {} and {}", name, settled.submission->acked,
                                settled.submission->failed, publish.acked, publish.failed));
  const std::error_code reason = publish.failed > 0 ? make_error_code(publish.reason) : std::error_code();
  if (static_cast<bool>(settled.reason) != static_cast<bool>(reason))
    throw Violation(
        "acked means that an endpoint acked every event",
        fmt::format("{}: signalled with '{}' instead of '{}'", name, settled.reason.message(), reason.message()));
  if (publish.reason_is_certain && settled.reason != reason)
    throw Violation("a signal has the reason",
                    fmt::format("{}: '{}' instead of '{}'", name, settled.reason.message(), reason.message()));
  publish.signalled = true;
  --signals_due_;
}

void Deliveries::check_signals_of_events(const core::Settled& settled, const Publish& publish) {
  if (settled.first + settled.count > publish.count)
    throw Violation("a signal is for what was published", "one for events beyond the publish");
  for (std::uint32_t index = settled.first; index < settled.first + settled.count; ++index) {
    Event& event = events_[publish.first + index];
    const auto name = [&] { return fmt::format("event #{}", publish.first + index); };
    if (event.signalled) throw Violation("exactly one signal", name() + " has another one");
    if (event.fate < Fate::acked) throw Violation("no signal before the end", name() + " has one");
    if (static_cast<bool>(settled.reason) != (event.fate != Fate::acked))
      throw Violation("acked means that an endpoint acked every event", name() + ": " + settled.reason.message());
    if (event.fate != Fate::acked && publish.reason_is_certain && settled.reason != event.reason)
      throw Violation("a signal has the reason",
                      fmt::format("{}: '{}' instead of '{}'", name(), settled.reason.message(),
                                  make_error_code(event.reason).message()));
    event.signalled = true;
    --signals_due_;
  }
}

void Deliveries::dead_letter(const core::DeadLetter& letter) {
  for (const std::string_view event : letter.events) {
    const EventNumber number = number_of(event);
    if (letters_due_.empty() || letters_due_.front().first != number)
      throw Violation("only what was given up goes to the dead letter",
                      fmt::format("event #{} went there for '{}'", number, letter.reason.message()));
    const Letter& expected = letters_due_.front().second;
    if (letter.reason != expected.reason || letter.error != expected.error || letter.attempts != expected.attempts ||
        !std::is_permutation(letter.endpoints.begin(), letter.endpoints.end(), expected.endpoints.begin(),
                             expected.endpoints.end()))
      throw Violation("a dead letter says why, after how many sends, and who refused it",
                      fmt::format("event #{}: '{}', '{}', {} sends, {} endpoints", number, letter.reason.message(),
                                  letter.error.message(), letter.attempts, letter.endpoints.size()));
    letters_due_.pop_front();
  }
}

void Deliveries::expect_all_signalled() const {
  if (signals_due_ > 0)
    throw Violation("what has ended is signalled", fmt::format("{} signals are missing", signals_due_));
  if (!letters_due_.empty())
    throw Violation("rejected events go to the dead letter", fmt::format("{} are missing", letters_due_.size()));
}

std::uint64_t Deliveries::dropped_of_doubtful(const Ledger& ledger) const {
  std::uint64_t known = dropped_for_a_doubtful_reason_;
  for (const auto& [reason, count] : dropped_) known += count;
  const std::uint64_t total = ledger.dropped_total();
  return total < known ? 0 : std::min(total - known, doubtful());
}

void Deliveries::compare(const Ledger& ledger) const {
  const auto expect = [](const char* figure, std::uint64_t theirs, std::uint64_t ours) {
    if (theirs != ours)
      throw Violation("the ledger is true at every step", fmt::format("{}: {} instead of {}", figure, theirs, ours));
  };
  const std::uint64_t gone = dropped_of_doubtful(ledger);
  std::uint64_t known = dropped_for_a_doubtful_reason_;
  for (const auto& [reason, count] : dropped_) {
    known += count;
    const auto theirs = ledger.dropped.find(reason);
    const std::uint64_t found = theirs == ledger.dropped.end() ? 0 : theirs->second;
    if (found < count || (found > count && gone + dropped_for_a_doubtful_reason_ == 0))
      expect(make_error_code(reason).message().c_str(), found, count);
  }
  expect("accepted", ledger.accepted, events_.size());
  expect("acked", ledger.acked, acked());
  expect("dropped", ledger.dropped_total(), known + gone);
  expect("dead letters", ledger.dead_lettered, dead_lettered_);
  expect("queued", ledger.queued, queued() + doubtful() - gone);
  expect("in flight", ledger.in_flight, flying());
  expect("refused", ledger.refused, refused_);
  expect("hedged", ledger.hedged, hedged_);
  expect("duplicates", ledger.duplicates, duplicates_);
  if (ledger.retried < retried_ || ledger.retried > retried_ + retried_doubtful_)
    expect("retried", ledger.retried, retried_);
}

}  // namespace windlass::sim
