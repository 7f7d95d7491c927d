// The checker's picture of one worker: its connection, its backoff, its deadlines, and what it has in flight.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "works.h"

namespace windlass::sim {

struct Line {
  enum class State : std::uint8_t { idle, connecting, connected, closing };

  explicit Line(const core::WorkerOptions& options)
      : endpoint(options.endpoint),
        window(options.window),
        priority(options.priority),
        wait_retry(options.wait_retry),
        max_wait_retry(std::max(options.wait_retry, options.max_wait_retry)),
        ttl(options.ttl),
        overlaps(options.overlaps),
        patience{options.wait_retry, options.max_wait_retry, base::never} {}

  // Constant.
  std::string endpoint;
  unsigned window;  ///< at most
  unsigned priority;
  base::Duration wait_retry;
  base::Duration max_wait_retry;
  base::Duration ttl;
  bool overlaps;  ///< its replacement is made first

  State state = State::idle;
  std::uint32_t connection = 0;
  bool disconnect_due = false;              ///< the balancer knows that it is over, and must say so
  bool was_wanted = false;                  ///< at some poll since nothing was left to poll
  bool was_of_use = false;                  ///< it got somewhere since it connected
  bool leaving = false;                     ///< too old, or not wanted: takes no new work
  bool removed = false;                     ///< leaves for good
  bool left_due = false;                    ///< has left, and the balancer must say so
  bool left = false;                        ///< ... and has said so
  bool replace_due = false;                 ///< the balancer must name its successor
  unsigned stillborn = 0;                   ///< successors that are to be named, and are not wanted any more
  std::optional<core::WorkerId> successor;  ///< that is to take its place once it is connected
  Patience patience;
  Moment rested;                       ///< draws nothing before, over whatever connection
  Moment reconnect;                    ///< idle: connects again
  std::vector<std::uint32_t> flights;  ///< oldest first
  base::Time connect_deadline = base::never;
  base::Time silence_deadline = base::never;
  base::Time progress_deadline = base::never;
  base::Time expires = base::never;
  base::Time leave_by = base::never;
  base::Time connected_at{};

  bool failing() const { return patience.failing(); }
  unsigned room() const {
    const unsigned limit = failing() ? 1 : window;
    return flights.size() < limit ? limit - static_cast<unsigned>(flights.size()) : 0;
  }
  bool surely_participates(base::Time now) const {
    return state == State::connected && !leaving && expires > now && rested.surely_past(now);
  }
  bool may_participate(base::Time now) const {
    return state == State::connected && !leaving && !rested.surely_ahead(now);
  }

  void sign_of_life(const core::Options& options, base::Time now) {
    if (!flights.empty()) silence_deadline = base::after(now, options.timeout);
  }
  void sent(std::uint32_t flight, const core::Options& options, base::Time now) {
    if (flights.empty()) {
      silence_deadline = base::after(now, options.timeout);
      progress_deadline = base::after(now, options.progress_timeout);
    }
    flights.push_back(flight);
  }
  /// It got somewhere with this flight. The deadline of progress is that of the oldest one.
  void progressed(std::uint32_t flight, const core::Options& options, base::Time now) {
    patience.succeeded();
    was_of_use = true;
    sign_of_life(options, now);
    if (!flights.empty() && flights.front() == flight) progress_deadline = base::after(now, options.progress_timeout);
  }
  void ended(std::uint32_t flight, const core::Options& options, base::Time now) {
    if (flights.front() == flight) progress_deadline = base::after(now, options.progress_timeout);
    flights.erase(std::find(flights.begin(), flights.end(), flight));
    if (flights.empty()) silence_deadline = progress_deadline = base::never;
  }
  /// Its end now would be no failure: it has nothing to do, and was of use or has stood for a while.
  bool may_end(base::Time now) const {
    return state == State::connected && flights.empty() && !failing() &&
           (was_of_use || now - connected_at >= wait_retry);
  }
  void rest(Moment until) {
    rested = {std::max(rested.earliest, until.earliest), std::max(rested.latest, until.latest)};
  }
  bool too_old(base::Time now) const {
    return state == State::connected && expires <= now && !leaving && !successor && !replace_due;
  }
  bool must_leave(base::Time now) const { return state == State::connected && leave_by <= now; }
  bool overdue(base::Time now) const {
    return (state == State::connecting && connect_deadline <= now) || silence_deadline <= now ||
           progress_deadline <= now;
  }
  base::Time next_deadline() const {
    base::Time next = std::min(silence_deadline, progress_deadline);
    if (state == State::connecting) next = std::min(next, connect_deadline);
    if (state == State::connected) next = std::min(next, leave_by);
    if (state == State::connected && !leaving && !successor) next = std::min(next, expires);
    return next;
  }
};

}  // namespace windlass::sim
