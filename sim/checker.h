// Holds a run to the rules of delivery (docs/delivery.md), at every step, from what the peers saw and what the
// publishers heard.
//
// It is told of every input before it looks at the next action, and predicts what each input does: which events are
// acknowledged, rejected, dropped or wait again, which worker fails and for how long it may not draw. Where the rules
// leave room (the jitter of a backoff) it keeps the earliest and the latest moment. After each step the balancer's
// ledger must equal its own. Every function but the getters throws Violation.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <system_error>
#include <unordered_set>
#include <vector>

#include <windlass/result.h>

#include "allowance.h"
#include "core/balancer.h"
#include "deliveries.h"
#include "line.h"
#include "works.h"

namespace windlass::sim {

class Checker {
 public:
  /// With `peers_report`, an event counts as acknowledged only after peer_took().
  Checker(const core::Options& options, const std::vector<core::WorkerOptions>& workers, bool peers_report,
          bool holds_back);

  // What the publisher does.
  EventNumber next_event() const { return deliveries_.next_event(); }
  std::uint32_t next_publish() const { return static_cast<std::uint32_t>(deliveries_.publishes()); }
  void offered(const NumberedSubmission& submission, std::error_code answer, base::Time now);
  void drain(base::Time deadline, base::Time now);
  void close(base::Time now);
  void joined(core::WorkerId id, const core::WorkerOptions& options, base::Time now);
  void removed(core::WorkerId id, base::Time leave_by);
  /// The workers that are there and have not been removed.
  std::vector<core::WorkerId> present() const;
  /// Ids that there have been.
  std::size_t ids() const { return lines_.size(); }

  // What the balancer is told.
  void connected(core::ConnectionId connection, base::Time now);
  void lost(core::ConnectionId connection, std::error_code error, base::Time now);
  void disconnected(core::ConnectionId connection);
  void alive(core::ConnectionId connection, base::Time now);
  void progress(std::uint32_t flight, std::uint32_t count, base::Time now);
  void result(std::uint32_t flight, const PublishResult& result, base::Time now);
  void timeout(base::Time now);
  /// To be called before each poll.
  void polled(base::Time now);

  // What the balancer does.
  EventNumber settled(const core::Settled& settled);
  void dead_letter(const core::DeadLetter& letter);
  void disconnect(const core::Disconnect& action);
  void connect(const core::Connect& action, base::Time now);
  void replace(const core::Replace& action);
  void left(const core::Left& action);
  /// It becomes the flight next_flight().
  void send(const core::Send& action, base::Time now);
  std::uint32_t next_flight() const { return static_cast<std::uint32_t>(flights_.size()); }

  // What a peer does: it acknowledges this event.
  void peer_took(EventNumber event) { deliveries_.event(event).taken = true; }
  /// No peer will ever take this event, which was offered.
  void give_no_hope(EventNumber event) { deliveries_.give_no_hope(event); }

  /// After each step.
  void compare(const core::Balancer& balancer);
  /// After poll() answered nothing.
  void idle(const core::Balancer& balancer, base::Time now);
  /// Everything is settled, and every worker that is wanted is connected, or was since the world became well.
  bool at_rest(base::Time well_since) const;
  /// After the world has been well for long enough: it is at rest.
  void expect_rest(const core::Balancer& balancer, base::Time well_since, base::Time now) const;

  const Flight& flight(std::uint32_t number) const { return flights_[number]; }
  bool is_closed() const { return closed_; }

 private:
  bool all_settled() const { return deliveries_.held() == 0; }
  Line* line_of(core::ConnectionId connection);
  void enter(core::WorkerId id, const core::WorkerOptions& options);
  void limit(const core::WorkerOptions& worker, base::Time now);
  /// Of the worker's endpoint; null: it has no limit.
  const Allowance* allowance_of(const Line& line) const;
  bool may_be_given(const Line& line, base::Time now) const;
  void spend(const Line& line, const Work& sent, std::size_t events, base::Time now);
  bool wanted(const Line& line) const;
  bool surely_draws(const Line& line, base::Time now) const;
  /// Another worker than this one, or one of another endpoint.
  bool another_draws(const Line& line, base::Time now, bool surely, bool of_another_endpoint = false) const;
  /// Whether the end of the connection tells against the worker; if not, against the work that it has had longest.
  bool at_fault(const Line& line) const;
  /// What it had sent to it last may take the connection with it.
  bool is_endangered(const Line& line) const {
    return !line.flights.empty() && works_.work(flights_[line.flights.back()].work).suspicion.strong();
  }
  void fail(Line& line, bool blamed, bool suspects_oldest, std::error_code error, base::Time now);
  void retire(Line& line, base::Time leave_by);
  void call_off_successor(Line& line);
  void take_back(Line& line, base::Time now);
  void rest(Line& line, const PublishResult& result, bool blamed, base::Time now);
  std::error_code refusal(const NumberedSubmission& submission, std::uint64_t held_events) const;
  std::span<const EventNumber> events_of(const Flight& flight) const;
  /// Ends a flight.
  void land(Line& line, std::uint32_t flight, base::Time now);
  /// Its events, from those that it acknowledged on the way, that no other copy has ended.
  std::vector<EventNumber> open_events(const Flight& flight) const;
  bool is_open(EventNumber event) const { return deliveries_.event(event).fate == Fate::flying; }
  void acked(std::span<const EventNumber> events);
  void expect_well_hedged(const Line& line, std::uint32_t work, const std::string& who) const;
  void expect_conserved_work(base::Time now) const;
  void expect_figures(const Statistics& statistics) const;
  void expect_deadlines(base::Time next_timeout, base::Time now) const;

  core::WorkerId id_of(const Line& line) const { return static_cast<core::WorkerId>(&line - lines_.data()); }

  const core::Options options_;
  const bool peers_report_;
  const bool holds_back_;  ///< work may wait for a worker that is busy, or at its limit, and will finish it sooner than
                           ///< an idle one
  Deliveries deliveries_;
  Works works_;
  std::vector<Line> lines_;
  std::vector<Flight> flights_;
  std::map<std::string, Allowance> allowances_;  ///< by endpoint
  std::unordered_set<core::AttemptId> ids_;
  bool several_priorities_ = false;
  bool rotates_ = false;  ///< connections end without a fault, by age or because a better one is back
  bool heard_ = true;     ///< something, since the last poll
  bool draining_ = false;
  bool closed_ = false;
  bool silent_ = false;  ///< closed, and all signals were given
  base::Time drain_deadline_ = base::never;
  std::uint64_t idles_ = 0;
};

}  // namespace windlass::sim
