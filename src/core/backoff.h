// How long something that failed is left alone.
#pragma once

#include <algorithm>

#include "base/random.h"
#include "base/time.h"

namespace windlass::core {

/// Waits that grow with the time for which something has been failing: drawn evenly from nearly nothing up to a quarter
/// of that time ("full jitter"), but from at least `first` and at most `most`. So waiting never adds more than a
/// quarter to an outage, retries in step fall out of step, and without jitter the waits would grow by a factor of 1.25.
/// `first` is a millisecond at the least: a wait of nothing would spin.
class Backoff {
 public:
  Backoff() = default;
  Backoff(base::Duration first, base::Duration most)
      : first_(std::max(first, shortest)), most_(std::max(first_, most)) {}

  /// Something failed: the wait before it is tried again.
  base::Duration failed(base::Time now, base::Random& random) {
    if (since_ == base::never) since_ = now;
    const base::Duration bound = std::clamp((now - since_) / 4, first_, most_);
    const auto floor = static_cast<std::uint64_t>(bound.count()) / 16;
    return base::Duration(floor + random.below(static_cast<std::uint64_t>(bound.count()) - floor + 1));
  }
  void succeeded() { since_ = base::never; }

  /// Failed, and not succeeded since.
  bool failing() const { return since_ != base::never; }

 private:
  static constexpr base::Duration shortest = std::chrono::milliseconds(1);

  base::Duration first_ = shortest;
  base::Duration most_ = shortest;
  base::Time since_ = base::never;
};

}  // namespace windlass::core
