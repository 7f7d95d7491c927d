// The checker's picture of what waits: batches with a history, new work in the order of arrival, and attempts.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "core/action.h"
#include "core/options.h"
#include "deliveries.h"

namespace windlass::sim {

/// A moment that hangs on jitter: not before `earliest`, not after `latest`.
struct Moment {
  base::Time earliest{};
  base::Time latest{};

  static Moment at(base::Time time) { return {time, time}; }
  bool surely_past(base::Time now) const { return latest <= now; }
  bool surely_ahead(base::Time now) const { return earliest > now; }
};

/// The bounds of a backoff that grows with the time for which something has been failing.
struct Patience {
  base::Duration first{0};
  base::Duration most{0};
  base::Time since = base::never;

  bool failing() const { return since != base::never; }
  Moment failed(base::Time now) {
    if (!failing()) since = now;
    const base::Duration bound = std::clamp((now - since) / 4, first, std::max(first, most));
    return {now + bound / 16, now + bound};
  }
  void succeeded() { since = base::never; }
};

/// The case against a batch: which endpoints failed it since it stands as it does, how often in all, and what they had
/// acknowledged in all by when that began.
struct Suspicion {
  std::set<std::string> accusers;
  unsigned failures = 0;
  bool named = true;  ///< each of them was one of each event
  bool begun = false;
  bool is_half = false;
  std::map<std::string, std::uint64_t> served_before;

  bool names_events() const { return failures > 0 && named; }
  bool strong() const { return is_half || failures > 1; }
};

/// What a batch came back for.
struct Failure {
  core::WorkerId worker = 0;
  std::string endpoint;
  bool progressed = false;
  bool costs_attempt = false;
  bool suspicious = false;  ///< it may be the batch that is bad
  bool left_over = false;   ///< the endpoint took others in the same answer, and is fine
  std::error_code error;
  std::vector<std::error_code> of_each = {};  ///< of its events, where each was answered for itself
};

/// A batch that was sent at least once.
struct Work {
  enum class State : std::uint8_t { waiting, doubtful, flying, over };
  static constexpr core::WorkerId nobody = ~core::WorkerId{0};

  std::vector<EventNumber> events;
  State state = State::flying;
  unsigned copies = 0;      ///< under way
  bool hedged = false;      ///< the present attempt has, or had, two
  bool progressed = false;  ///< by a copy of the present attempt that is over
  bool unlimited = false;
  int spent_at_least = 0;  ///< attempts; jitter decides whether a wait for a worker has cost one
  int spent_at_most = 0;
  unsigned sends = 0;
  core::WorkerId failed_at = nobody;
  std::string failed_endpoint;
  bool failed_elsewhere = false;
  std::optional<std::string> left_over_at;  ///< the endpoint that took the others
  unsigned failures = 0;
  Patience patience;
  Suspicion suspicion;
  bool yields = false;   ///< to new work, mostly
  Moment ready;          ///< may be drawn again
  Moment waiting_since;  ///< the wait for a worker counts from here

  bool failed_last_at(const std::string& endpoint) const { return failed_at != nobody && failed_endpoint == endpoint; }
  /// Not at a worker that had this id before, at another endpoint.
  bool failed_last_at(core::WorkerId worker, const std::string& endpoint) const {
    return failed_at == worker && failed_endpoint == endpoint;
  }
  bool failed_at_another(const std::string& endpoint) const {
    return failed_elsewhere || (failures > 0 && failed_endpoint != endpoint);
  }
};

/// One send, numbered in order.
struct Flight {
  core::AttemptId id = 0;
  core::WorkerId worker = 0;
  std::uint32_t connection = 0;
  std::uint32_t work = 0;
  std::uint32_t first = 0;  ///< place of its first event in the work's
  std::uint32_t acked = 0;  ///< events at the front
  bool live = true;
};

class Works {
 public:
  Works(const core::Options& options, Patience patience, Deliveries& deliveries)
      : options_(options), patience_(patience), deliveries_(deliveries) {}

  void offered(std::uint32_t publish, base::Time now);
  /// Takes what was sent out of what waits: the new work in front, or one batch that waits again. Or else it is a
  /// second copy of all that one in flight still waits for.
  std::uint32_t sent(const Batch& batch, const std::string& endpoint, base::Time now);
  /// The rest of a batch waits again, or is dropped; or, when another copy is under way, is left to that.
  void give_back(std::uint32_t work, std::vector<EventNumber> rest, const Failure& failure, base::Time now);
  /// The rest of a batch waits again because its worker leaves: nothing is spent.
  void take_back(std::uint32_t work, std::vector<EventNumber> rest, bool progressed, base::Time now);
  /// This endpoint acknowledged something.
  void served(const std::string& endpoint) { ++served_[endpoint]; }
  /// What was sent counts as being drawn until then.
  void paid_until(base::Time time) { last_draw_ = std::max(last_draw_, time); }
  /// What has waited for a worker for too long is dropped.
  void expire(base::Time now);
  /// Everything that waits ends.
  void close();
  /// The publisher heard of the end of these events of a publish: doubtful ones were dropped.
  void dropped(std::uint32_t publish, std::uint32_t first, std::uint32_t count);
  /// Settles doubts, where what the balancer says leaves only one answer.
  void resolve(const Ledger& ledger);

  /// Whether a failure of this batch at the endpoint need not be the endpoint's.
  bool may_be_bad(const Work& work, const std::string& endpoint) const {
    return work.failed_at_another(endpoint) || work.left_over_at == endpoint || serving(work.suspicion) > 0;
  }

  Work& work(std::uint32_t number) { return works_[number]; }
  const Work& work(std::uint32_t number) const { return works_[number]; }
  const std::vector<std::uint32_t>& waiting() const { return waiting_; }
  bool new_work() const { return !fresh_.empty(); }
  bool work_waits() const { return new_work() || !waiting_.empty(); }
  /// Whether nothing that waits has anything to come before `next`: no wait that costs an attempt, no batch that
  /// becomes ready for certain.
  bool nothing_due_before(base::Time next, base::Time now) const;

 private:
  struct Fresh {
    std::uint32_t publish = 0;
    EventNumber next = 0;
    EventNumber end = 0;
    int spent = 0;
    base::Time waiting_since{};
  };

  bool unlimited(std::uint32_t publish) const { return deliveries_.publish(publish).unlimited; }
  std::uint32_t sent_again(const Batch& batch, std::uint32_t number, base::Time now);
  std::uint32_t sent_twice(const Batch& batch, std::uint32_t number);
  std::uint32_t sent_first(const Batch& batch, const std::string& endpoint, base::Time now);
  static void renew(Work& work);
  unsigned serving(const Suspicion& suspicion) const;
  void split(std::uint32_t number);
  void set_waiting(std::uint32_t number);
  void remove_waiting(std::uint32_t number);
  void doubt(std::uint32_t number);
  void finish(std::uint32_t number, errc reason, bool certain);
  /// Each timeout that work has waited while nothing was drawn costs an attempt, but for its last one.
  void charge_waits(base::Time now);
  int spent_by_waiting(base::Time since, int spent, base::Time now) const;
  /// When a wait since then has cost every attempt.
  base::Time expiry(base::Time since, int spent) const {
    return std::max(since, last_draw_) + (options_.max_attempts - spent) * options_.timeout;
  }

  const core::Options& options_;
  const Patience patience_;
  Deliveries& deliveries_;
  std::deque<Work> works_;
  std::vector<std::uint32_t> waiting_;
  std::size_t doubtful_ = 0;
  std::deque<Fresh> fresh_;
  std::map<std::string, std::uint64_t> served_;  ///< acknowledgements, by endpoint
  unsigned fresh_sends_ = 0;                     ///< since something that yields was sent
  base::Time last_draw_{};
};

}  // namespace windlass::sim
