// Which worker the next batch goes to, how much each may hold, and when it is better to let work wait: the seam where a
// policy is put.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "core/action.h"
#include "core/rate_limits.h"

namespace windlass::core {

/// A policy watches what happens to batches and answers when the balancer asks. It does not know about failures,
/// attempts or priorities: the balancer offers only workers that may be given the batch, one batch at a time to a
/// worker that has failed and not succeeded since, and never more than window() batches. Nor does it enforce limits of
/// rates, although it may reckon with them. Costs are bytes.
class HandOutPolicy {
 public:
  /// One batch waiting for a worker.
  struct Head {
    double cost = 0;    ///< of the batch as it would be handed out
    double queued = 0;  ///< of all that waits, with it
    double events = 1;  ///< in the batch
  };
  /// A worker for it, or none: it is to wait until something happens, `until` then at the latest.
  struct Choice {
    std::optional<WorkerId> worker;
    base::Time until = base::never;
  };
  /// A second copy of a batch in flight, or none: nothing changes by itself before `until`.
  struct Hedge {
    AttemptId attempt = 0;
    std::optional<WorkerId> worker;
    base::Time until = base::never;
  };
  /// Whether the batch of this attempt may be sent to this worker as well.
  using MayHedge = std::function<bool(AttemptId, WorkerId)>;
  /// Workers by id, ascending.
  using Workers = std::vector<WorkerId>;

  virtual ~HandOutPolicy() = default;

  /// What endpoints may be given; it is up to date whenever the policy is asked. Called once, at the beginning, by the
  /// balancer, whose limits outlive it.
  virtual void heed(const RateLimits& /*limits*/) {}

  // What happens.

  /// A worker has joined, with a window of at most `bound`; its id is new, or that of one that was removed. Not called
  /// for those that were there when the policy was made.
  virtual void on_added(WorkerId /*worker*/, unsigned /*bound*/) {}
  /// It has left, and had no connection any more.
  virtual void on_removed(WorkerId /*worker*/) {}
  /// The worker has a new connection, of which nothing is known.
  virtual void on_connected(WorkerId /*worker*/, base::Time /*now*/) {}
  /// Its connection is gone; on_ended came for each of its batches before.
  virtual void on_disconnected(WorkerId /*worker*/) {}
  virtual void on_offered(double /*cost*/, base::Time /*now*/) {}
  virtual void on_sent(WorkerId /*worker*/, AttemptId /*attempt*/, double /*cost*/, base::Time /*now*/) {}
  /// The batch was acknowledged in full.
  virtual void on_acked(WorkerId /*worker*/, AttemptId /*attempt*/, base::Time /*now*/) {}
  /// The attempt has ended in another way.
  virtual void on_ended(WorkerId /*worker*/, AttemptId /*attempt*/, base::Time /*now*/) {}
  /// The endpoint asked for less, for all or for a part of a batch.
  virtual void on_throttled(WorkerId /*worker*/, base::Time /*now*/) {}

  // What it answers.

  /// One of `candidates`, each of which has room; or none, because one of `participants`, which are all that draw, with
  /// room or without, will finish the batch sooner.
  virtual Choice choose(const Workers& candidates, const Workers& participants, const Head& head, base::Time now) = 0;
  /// Whether `other`, another candidate, would be about as good as the one that choose() has just answered with, so
  /// that weights may decide between them.
  virtual bool as_good(WorkerId /*other*/, WorkerId /*chosen*/, const Head& /*head*/, base::Time /*now*/) const {
    return false;
  }
  /// A batch that is overdue, and which of `candidates`, each of which has room, will be quicker with a second copy of
  /// it. Asked when nothing is handed out; the copy is then told of by on_sent, as a batch like any other.
  virtual Hedge hedge(const Workers& /*candidates*/, const MayHedge& /*may*/, base::Time /*now*/) { return {}; }
  /// Batches that the worker may have in flight; at least 1.
  virtual unsigned window(WorkerId worker) const = 0;
  /// Why the window last changed, for people.
  virtual const char* window_reason(WorkerId worker) const = 0;
};

/// Windows that never change, by worker. The batch goes to the worker with the least in flight that has waited for
/// longest: who is quick asks often.
std::unique_ptr<HandOutPolicy> fixed_windows(std::vector<unsigned> windows);

}  // namespace windlass::core
