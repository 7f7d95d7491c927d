// Which endpoints have a limit of events a second, and what each of them may be given for now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "core/action.h"
#include "core/endpoints.h"
#include "core/token_bucket.h"

namespace windlass::core {

/// All workers of an endpoint share its bucket. It outlives them until it is full, so that an endpoint which leaves and
/// comes back has not been given more for that.
class RateLimits {
 public:
  /// Buckets of endpoints without workers that are kept at most; beyond, the one that would be full first goes.
  static constexpr std::size_t most_left = Endpoints::most_left;

  /// False: nobody has a limit, and nothing else need be asked.
  bool any() const { return !limits_.empty(); }

  /// A worker has joined its endpoint, and shares the limit that this has. Its id is new, or that of one that has left.
  void joined(WorkerId worker, EndpointId endpoint);
  void left(WorkerId worker, base::Time now);
  /// The endpoint is given at most so many events a second from now on; not above 0: as many as it takes.
  void set(EndpointId endpoint, double rate, base::Time now);

  /// Whether the worker may be given a batch, as far as its endpoint's limit goes.
  bool gives(WorkerId worker, base::Time now) const {
    const Limit* limit = limit_of(worker);
    return !limit || limit->bucket.gives(now);
  }
  /// The worker was given so many events. Answers when its endpoint may be given more, which may be
  /// long past.
  base::Time spend(WorkerId worker, std::size_t events, base::Time now);
  /// The most that new work for this worker is cut into: what a full bucket holds.
  std::uint32_t most_events(WorkerId worker) const;
  /// Events that it may be given from now until then, when its endpoint's are shared out evenly among its connections.
  double until(base::Time then, WorkerId worker, base::Time now) const;
  /// When the first of those that may be given nothing now may be given something.
  base::Time next(base::Time now) const;
  /// Of the worker's endpoint; null: it has no limit.
  const TokenBucket* bucket_of(WorkerId worker) const {
    const Limit* limit = limit_of(worker);
    return limit ? &limit->bucket : nullptr;
  }

 private:
  struct Limit {
    TokenBucket bucket;
    std::size_t workers = 0;
  };
  struct Place {
    EndpointId endpoint = 0;
    Limit* limit = nullptr;
    bool present = false;
  };

  const Limit* limit_of(WorkerId worker) const { return worker < places_.size() ? places_[worker].limit : nullptr; }
  void forget_left(base::Time now);

  std::unordered_map<EndpointId, Limit> limits_;  // whose elements stay where they are
  std::vector<Place> places_;                     ///< of workers
};

}  // namespace windlass::core
