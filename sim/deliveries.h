// The checker's own ledger: what became of every event, and what every publisher must hear.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <windlass/batch.h>
#include <windlass/statistics.h>

#include "core/action.h"
#include "events.h"

namespace windlass::sim {

/// A submission that carries its number, so that a signal can be told from the others.
struct NumberedSubmission : core::Submission {
  std::uint32_t number = 0;
};

/// Where an event is. "Doubtful": the rules allow that it was dropped by now, and allow that it was not, as that hangs
/// on the jitter of a backoff.
enum class Fate : std::uint8_t { queued, flying, doubtful, acked, dropped, rejected };

/// Each event's fate, each publish's signal, and the sums. Throws Violation for a signal that is early, late, doubled,
/// or wrong.
class Deliveries {
 public:
  static constexpr std::uint32_t no_work = ~std::uint32_t{0};

  struct Event {
    std::uint32_t publish = 0;
    std::uint32_t work = no_work;  ///< the batch that it travels in, once it was sent
    Fate fate = Fate::queued;
    bool signalled = false;
    bool taken = false;     ///< a peer acknowledged it
    bool hopeless = false;  ///< no endpoint will ever take it
    errc reason{};          ///< of its drop
  };
  /// What a dead letter must say.
  struct Letter {
    errc reason{};
    std::error_code error;
    unsigned attempts = 0;
    std::vector<std::string> endpoints;  ///< in any order
  };
  struct Publish {
    EventNumber first = 0;
    std::uint32_t count = 0;
    std::size_t bytes = 0;
    core::Signalling signalling = core::Signalling::none;
    bool unlimited = false;
    std::uint32_t acked = 0;
    std::uint32_t failed = 0;
    errc reason{};
    bool reason_is_certain = true;
    bool signalled = false;
    bool ended() const { return acked + failed == count; }
  };

  /// The next event's number; an accepted submission's events are numbered from it.
  EventNumber next_event() const { return static_cast<EventNumber>(events_.size()); }
  void accept(const NumberedSubmission& submission, bool unlimited);
  /// No endpoint will ever take this event, which need not end.
  void give_no_hope(EventNumber event);
  void refuse(std::size_t events) { refused_ += events; }

  Event& event(EventNumber number) { return events_[number]; }
  const Event& event(EventNumber number) const { return events_[number]; }
  const Publish& publish_of(EventNumber number) const { return publishes_[events_[number].publish]; }
  const Publish& publish(std::uint32_t number) const { return publishes_[number]; }
  std::size_t publishes() const { return publishes_.size(); }

  /// From one place to another, none of them an end.
  void move(std::span<const EventNumber> events, Fate to);
  /// To its end.
  void ack(std::span<const EventNumber> events);
  void drop(std::span<const EventNumber> events, errc reason, bool certain = true);
  void give_up(EventNumber event, const Letter& letter, bool dead_letter);
  void count_hedged(std::size_t events) { hedged_ += events; }
  /// A copy of it was acknowledged after its end.
  void count_duplicate() { ++duplicates_; }
  void count_retried(std::size_t events, bool certain) { (certain ? retried_ : retried_doubtful_) += events; }

  /// What the publishers heard. Answers with the first event's number.
  EventNumber settled(const core::Settled& settled);
  void dead_letter(const core::DeadLetter& letter);
  /// All actions were taken: every signal that is due must have come.
  void expect_all_signalled() const;

  std::uint64_t queued() const { return sum(Fate::queued); }
  std::uint64_t flying() const { return sum(Fate::flying); }
  std::uint64_t doubtful() const { return sum(Fate::doubtful); }
  std::uint64_t held() const { return queued() + flying() + doubtful(); }
  std::uint64_t acked() const { return sum(Fate::acked); }
  std::uint64_t hedged() const { return hedged_; }
  /// Of those that have not ended, how many have no hope.
  std::uint64_t hopeless() const { return hopeless_; }
  std::size_t held_bytes() const { return held_bytes_; }
  /// How many of the doubtful ones the balancer has dropped.
  std::uint64_t dropped_of_doubtful(const Ledger& ledger) const;
  /// The balancer's ledger must say the same.
  void compare(const Ledger& ledger) const;

 private:
  std::uint64_t sum(Fate fate) const { return sums_[static_cast<std::size_t>(fate)]; }
  void change(Event& event, Fate to);
  void end(Event& event, Fate fate, errc reason, bool certain);
  void check_signal_of_publish(const core::Settled& settled, Publish& publish);
  void check_signals_of_events(const core::Settled& settled, const Publish& publish);

  std::vector<Event> events_;
  std::vector<Publish> publishes_;
  std::deque<std::pair<EventNumber, Letter>> letters_due_;
  std::uint64_t signals_due_ = 0;
  std::uint64_t hopeless_ = 0;

  std::uint64_t sums_[6] = {};
  std::map<errc, std::uint64_t> dropped_;
  std::uint64_t dropped_for_a_doubtful_reason_ = 0;
  std::uint64_t dead_lettered_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t retried_ = 0;
  std::uint64_t retried_doubtful_ = 0;
  std::uint64_t hedged_ = 0;
  std::uint64_t duplicates_ = 0;
  std::size_t held_bytes_ = 0;
};

}  // namespace windlass::sim
