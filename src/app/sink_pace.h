// A steady rate of events, which may be another one from a given time on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/sink_faults.h"
#include "base/time.h"

namespace windlass::app {

/// Says how many events may be taken when, so that they come at a steady rate. Never makes up for more than 50 ms of
/// idling.
class Pace {
 public:
  /// `rates` as SinkFaults has them; none: without limit. Their times count from `start`.
  Pace(std::vector<RateFrom> rates, base::Time start);

  bool limited() const { return !rates_.empty(); }
  /// How many may be taken now.
  std::uint64_t allowance(base::Time now);
  /// So many were, at most allowance().
  void spend(std::uint64_t count);
  /// When it is worth asking again: at least 2 ms and one event later than `now`, unless the rate changes before.
  base::Time next(base::Time now) const;

 private:
  void gather(base::Time until);
  double rate() const { return rates_[current_].rate; }

  std::vector<RateFrom> rates_;
  base::Time start_;
  std::size_t current_ = 0;
  double gathered_ = 0;
  base::Time gathered_at_;
};

}  // namespace windlass::app
