// The shared queue: what waits to be handed out, and how it is cut into batches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <windlass/batch.h>

#include "base/time.h"
#include "core/action.h"
#include "core/backoff.h"
#include "core/options.h"
#include "core/submission.h"
#include "core/suspicion.h"

namespace windlass::core {

/// A batch with its history: what is handed out, and handed out again while events of it remain.
struct Work {
  static constexpr WorkerId nobody = ~WorkerId{0};

  Batch batch;
  int attempts_left = 0;  ///< without those that the present wait has cost; of no meaning when `unlimited`
  bool unlimited = false;
  unsigned sends = 0;            ///< of its events
  WorkerId failed_at = nobody;   ///< the worker that failed it last
  EndpointId failed_endpoint{};  ///< that worker's, if there is one
  bool failed_elsewhere =
      false;  ///< another endpoint failed it before, without progress between, or what it is half of
  /// What this endpoint, otherwise in order, left over of a batch: it took the others, so these are what is bad.
  std::optional<EndpointId> left_over_at;
  unsigned failures = 0;       ///< since the last progress, or since it began anew
  Suspicion suspicion;         ///< whether it is the batch that is bad
  bool yields = false;         ///< an event that keeps failing: goes ahead of new work now and then only
  Backoff backoff;             ///< for work that fails again and again
  base::Time not_before{};     ///< not to be drawn earlier
  base::Time waiting_since{};  ///< the hand-out wait counts from here

  /// This endpoint failed it last.
  bool failed_last_at(EndpointId endpoint) const { return failed_at != nobody && failed_endpoint == endpoint; }
  /// It failed at another endpoint before, so it may be the work that is bad.
  bool failed_at_another(EndpointId endpoint) const {
    return failed_elsewhere || (failures > 0 && failed_endpoint != endpoint);
  }
  /// A failure at this endpoint need not be the endpoint's.
  bool may_be_bad(EndpointId endpoint, const Endpoints& endpoints) const {
    return failed_at_another(endpoint) || left_over_at == endpoint || suspicion.is_batch_bad(endpoints);
  }
};

/// Retries first, then new work in the order of arrival. New work stays in the submissions until it is drawn; then
/// neighbours are joined into one batch up to the limits, so that batches grow while workers are busy.
///
/// Each Options::timeout that work waits while nothing at all is drawn costs it an attempt. That is reckoned when
/// something is drawn again, or when a wait has cost all of them: so there is one deadline, not one for each wait.
class WorkQueue {
 public:
  WorkQueue(const Options& options, Backoff work_backoff) : options_(options), work_backoff_(work_backoff) {}

  void push(std::shared_ptr<Submission> submission, base::Time now);
  void push_retry(Work work);

  /// What failed and waits to be sent again; to be drawn before new work.
  const std::deque<Work>& retries() const { return retries_; }
  Work take_retry(std::size_t index, base::Time now);
  /// Not now, when it yields: between two of those go several batches of new work, where there is some. So they neither
  /// stop others nor starve, however many there are and however short their rests.
  bool has_its_turn(const Work& work) const {
    return !work.yields || fresh_.empty() || fresh_draws_ >= fresh_draws_between;
  }
  /// The next batch of new work, of `most` events at most, which is 1 at least. There must be some.
  Work take_fresh(std::uint32_t most, base::Time now);
  bool has_fresh() const { return !fresh_.empty(); }
  /// About how many bytes the next batch of new work has, and how many events.
  std::size_t fresh_head_bytes() const;
  std::size_t fresh_head_events() const;
  /// What was drawn counts as being drawn until then: no wait before it costs an attempt.
  void is_drawn_until(base::Time time) { last_draw_ = std::max(last_draw_, time); }
  /// Of everything that waits.
  std::size_t bytes() const { return retry_bytes_ + fresh_bytes_; }

  /// Takes out the work that has no attempt left because it has waited for so long.
  std::vector<Work> take_expired(base::Time now);
  /// Takes everything out.
  std::vector<Work> take_all();

  /// When take_expired has something to do.
  base::Time next_expiry() const;
  /// When work that rests becomes available, after `now`.
  base::Time next_available(base::Time now) const;

  bool empty() const { return retries_.empty() && fresh_.empty(); }

 private:
  static constexpr unsigned fresh_draws_between = 8;

  /// A submission of which the events before `next` have been drawn.
  struct Fresh {
    std::shared_ptr<Submission> submission;
    std::uint32_t next = 0;
    int attempts_left = 0;
    bool unlimited = false;
    base::Time waiting_since{};
  };

  Work cut(std::uint32_t room_events);
  Work rest_of(const Fresh& fresh) const;
  void charge_waits(base::Time now);
  template <typename Waiting>
  base::Time expiry_of(const Waiting& waiting) const;

  const Options& options_;
  Backoff work_backoff_;
  std::deque<Work> retries_;
  std::deque<Fresh> fresh_;
  std::size_t retry_bytes_ = 0;
  std::size_t fresh_bytes_ = 0;
  std::size_t fresh_events_ = 0;
  std::size_t limited_ = 0;   ///< how many of fresh_ are not unlimited
  unsigned fresh_draws_ = 0;  ///< since work that yields was drawn
  base::Time last_draw_{};    ///< or when what was drawn last is paid for, which may be to come
};

}  // namespace windlass::core
