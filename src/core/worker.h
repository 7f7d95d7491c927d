// One connection as the balancer sees it: its state, its backoff, what it has in flight, and its figures.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <system_error>

#include <windlass/statistics.h>

#include "base/histogram.h"
#include "base/random.h"
#include "base/time.h"
#include "core/action.h"
#include "core/backoff.h"
#include "core/options.h"
#include "core/suspicion.h"

namespace windlass::core {

/// The state machine of one connection:
///
///   standby --wanted--> connecting --on_connected--> connected --idle, not wanted or too old--> closing --> standby
///                           |                            |
///                           +--refused, timeout----------+--failed--> closing --> waiting --backoff--> connecting
///
/// "Resting" is connected with rest_until in the future: the connection stands, but its endpoint failed a batch. A
/// worker that is removed goes to standby as one that is not wanted, or stays in closing until it is closed, and is
/// gone then.
class Worker {
 public:
  enum class State { standby, waiting, connecting, connected, closing, gone };

  /// Its connections have numbers above `last_connection`.
  explicit Worker(WorkerOptions options, EndpointId endpoint = 0, std::uint32_t last_connection = 0);

  // Getters.
  EndpointId endpoint() const { return endpoint_; }
  State state() const { return state_; }
  std::uint32_t connection() const { return connection_; }
  bool resting(base::Time now) const { return state_ == State::connected && rest_until_ > now; }
  /// Has a working connection and wants work.
  bool participating(base::Time now) const { return state_ == State::connected && !leaving_ && rest_until_ <= now; }
  /// Failed, and has not succeeded since: known to be bad, or not yet known to be good again.
  bool failing() const { return backoff_.failing(); }
  const std::deque<AttemptId>& in_flight() const { return in_flight_; }
  const WorkerOptions& options() const { return options_; }
  /// When overdue() has something to say, a wait ends, or the connection is too old.
  base::Time next_timeout() const;
  /// It waits for its backoff, which has ended.
  bool wait_has_ended(base::Time now) const { return state_ == State::waiting && deadline_ <= now; }
  /// If the connection ended now, that would be no failure: nothing is in flight on it, and it was of use or has stood
  /// for long enough that making it again at once does not spin.
  bool may_end(base::Time now) const {
    return state_ == State::connected && in_flight_.empty() && !failing() &&
           (was_of_use_ || now - connected_at_ >= options_.wait_retry);
  }
  base::Time rest_until() const { return rest_until_; }
  bool removed() const { return removed_; }
  /// It was removed, and had until now to finish what it has in flight.
  bool must_leave(base::Time now) const { return state_ == State::connected && leave_by_ <= now; }
  /// The worker that will take its place, as soon as that is connected.
  std::optional<WorkerId> successor() const { return successor_; }
  /// The error that the silence or the lack of progress amounts to by now, if any.
  std::error_code overdue(base::Time now) const;
  bool too_old(base::Time now) const;
  WorkerStatistics statistics(base::Time now) const;

  // What happens to it.
  void connecting(base::Time now, base::Duration timeout);
  void connected(base::Time now);
  void sent(AttemptId attempt, std::size_t events, const Options& options, base::Time now);
  /// An attempt has ended, however it did, with so many events that were not acknowledged on the way.
  void ended(AttemptId attempt, std::size_t events, const Options& options, base::Time now);
  void alive(const Options& options, base::Time now);
  void acked_some(std::size_t events) { figures_.acked += events; }
  /// Some events of an attempt that goes on were acknowledged; `news` of them for the first time.
  void acked_on_the_way(std::size_t events, std::size_t news) {
    figures_.acked += news;
    figures_.in_flight -= events;
  }
  /// It got somewhere with this attempt: it is not failing, and its deadlines start again; that of progress only with
  /// the oldest in flight, so that no batch is stuck behind the progress of others.
  void progressed(AttemptId attempt, const Options& options, base::Time now);
  /// A batch was acknowledged in full.
  void completed(base::Duration round_trip);
  /// A batch was not acknowledged in full.
  void count_failure() { ++figures_.failed_attempts; }
  /// Leaves the pool for its backoff, or for what the endpoint asked for; the connection stands, and a new one does not
  /// end the rest.
  void rest(base::Time until, std::error_code error);
  /// Draws the backoff, and counts as failing from now on.
  base::Duration failed(base::Time now, base::Random& random) { return backoff_.failed(now, random); }
  /// The connection is to be closed, and to be made again at `reconnect_at` (never: when it is wanted).
  void closing(base::Time reconnect_at, std::error_code error);
  void closed();
  /// Draws no more; closes when nothing is in flight.
  void leave() { leaving_ = true; }
  bool leaving() const { return leaving_; }
  void wait_is_over();
  /// Leaves for good, by this time at the latest.
  void remove(base::Time leave_by);
  /// Is removed, and has no connection any more.
  void gone();
  void succeed_by(std::optional<WorkerId> successor) { successor_ = successor; }
  /// Goes on with the figures of another worker of its endpoint.
  void absorb(const Worker& other);

 private:
  WorkerOptions options_;
  EndpointId endpoint_;
  Backoff backoff_;
  State state_ = State::standby;
  std::uint32_t connection_ = 0;
  bool leaving_ = false;
  bool removed_ = false;
  std::optional<WorkerId> successor_;
  bool was_of_use_ = false;  ///< this connection got somewhere
  std::deque<AttemptId> in_flight_;

  // Deadlines; never when they do not run.
  base::Time deadline_ = base::never;           ///< of a connect, of a backoff
  base::Time reconnect_at_ = base::never;       ///< once closed
  base::Time silence_deadline_ = base::never;   ///< of the next sign of life
  base::Time progress_deadline_ = base::never;  ///< of the oldest batch in flight
  base::Time rest_until_{};
  base::Time expires_ = base::never;  ///< of the connection
  base::Time leave_by_ = base::never;
  base::Time connected_at_{};

  WorkerStatistics figures_;
  base::Histogram latency_;
};

}  // namespace windlass::core
