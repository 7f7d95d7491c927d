// An endpoint behind its line.
#pragma once

#include <algorithm>
#include <cmath>

#include "world.h"

namespace windlass::bench {

class Server {
 public:
  explicit Server(const Endpoint& endpoint) : endpoint_(endpoint) {}

  struct Times {
    double served = 0;
    double answered = 0;  ///< at the sender
  };

  /// When a batch that is sent at `now` would be served; forever if it is lost.
  Times finish(double now, double effort) const {
    const double arrival = std::max(now, endpoint_.joins) + endpoint_.round_trip / 2;
    const double served = work(std::max(arrival, free_), effort / endpoint_.capacity);
    return {served, served + endpoint_.round_trip / 2};
  }

  Times take(double now, double effort) {
    const Times times = finish(now, effort);
    if (times.served < forever) free_ = times.served;
    return times;
  }

 private:
  double work(double begin, double seconds) const {
    for (const Trouble& trouble : endpoint_.troubles) {
      if (begin >= trouble.until) continue;
      const double before = std::max(0.0, trouble.from - begin);
      if (seconds <= before) return begin + seconds;
      if (trouble.lost) return forever;
      begin += before;
      seconds -= before;
      const double meanwhile = (trouble.until - begin) * trouble.speed;
      if (seconds <= meanwhile) return begin + seconds / trouble.speed;
      begin = trouble.until;
      seconds -= meanwhile;
    }
    return begin + seconds;
  }

  const Endpoint& endpoint_;
  double free_ = 0;
};

}  // namespace windlass::bench
