// How many events may be given in a time: a token bucket.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/time.h"

namespace windlass::core {

/// `rate` events a second on average, and burst() more at one time. Whatever is wanted while nothing is owed is given
/// whole, so the bucket may owe for one batch, and gives nothing until that is paid. In any interval of T seconds,
/// then, it gives at most rate * T + burst() + one batch.
///
/// All that is kept is the moment at which it will be full (the generic cell rate algorithm of ITU-T I.371, by virtual
/// scheduling): nothing has to be refilled, and nothing adds up but what is rounded in the endpoint's favour.
class TokenBucket {
 public:
  /// It holds what comes in so many seconds, and one event at least.
  static constexpr double burst_seconds = 0.1;

  /// It is full. `rate` is above 0.
  explicit TokenBucket(double rate) { become(rate); }

  double rate() const { return rate_; }
  double burst() const { return std::max(1.0, rate_ * burst_seconds); }
  /// It gives something from this moment on, which may be long past.
  base::Time gives_from() const { return full_at_ - depth_; }
  bool gives(base::Time now) const { return gives_from() <= now; }
  base::Time full_at() const { return full_at_; }
  /// How many events it can give between `now` and `then`.
  double until(base::Time then, base::Time now) const {
    const double there = std::min(burst(), seconds(now - gives_from()) * rate_);
    return std::max(0.0, there + std::max(0.0, seconds(then - now)) * rate_);
  }

  void spend(std::size_t events, base::Time now) {
    const base::Time gave_from = std::max(gives_from(), now);
    full_at_ = base::after(std::max(full_at_, now), time_for(static_cast<double>(events)));
    empty_ += std::max(gives_from(), gave_from) - gave_from;
  }
  /// What is missing in it stays missing.
  void set_rate(double rate, base::Time now) {
    const base::Time gave_from = std::max(gives_from(), now);
    const double missing = std::max(0.0, seconds(full_at_ - now)) * rate_;
    become(rate);
    full_at_ = base::after(now, time_for(missing));
    empty_ += std::max(gives_from(), now) - gave_from;
  }
  /// For how long, in all, it has given nothing.
  base::Duration was_empty(base::Time now) const { return empty_ - (std::max(gives_from(), now) - now); }

 private:
  static double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }
  /// In which they are paid for.
  base::Duration time_for(double events) const {
    constexpr double longest = 1e18;  // 30 years
    return base::Duration(static_cast<base::Duration::rep>(std::min(longest, std::ceil(events * 1e9 / rate_))));
  }
  void become(double rate) {
    rate_ = rate;
    depth_ = base::Duration(static_cast<base::Duration::rep>(std::min(1e18, std::floor(burst() * 1e9 / rate))));
  }

  double rate_ = 0;
  base::Duration depth_{0};  ///< in which it fills
  base::Time full_at_{};
  base::Duration empty_{0};  ///< until gives_from()
};

}  // namespace windlass::core
