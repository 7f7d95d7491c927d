// A steady rate of events.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace windlass::app {

/// Says how many events may be taken when, so that they come at a steady rate. Never makes up for more than 50 ms of
/// idling.
class Pace {
 public:
  /// `rate` in events a second; 0: without limit.
  Pace(double rate, base::Time now);

  bool limited() const { return rate_ > 0; }
  /// How many may be taken now.
  std::uint64_t allowance(base::Time now);
  /// So many were, at most allowance().
  void spend(std::uint64_t count);
  /// When it is worth asking again: at least 2 ms and one event later than `now`.
  base::Time next(base::Time now) const;

 private:
  double rate_;
  double most_;  // that may have gathered
  double gathered_ = 0;
  base::Time gathered_at_;
};

}  // namespace windlass::app
