// The checker's picture of what an endpoint may be given, where it has a limit of events a second.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/time.h"

namespace windlass::sim {

/// The law: in any interval an endpoint is given at most rate * interval + burst + one batch. That is to say that
/// nothing is given while the level of a bucket is below zero, which rises with the rate up to the burst, and falls by
/// each event. The level is a number; when it is back at zero is a moment to the nanosecond, since waits count from
/// there.
class Allowance {
 public:
  explicit Allowance(double rate) : rate_(rate), level_(burst()) {}

  double burst() const { return std::max(1.0, 0.1 * rate_); }
  bool keeps_the_law(base::Time now) const { return level(now) > -tolerance; }
  /// Nothing is to be given before.
  base::Time again() const {
    return full_at_ - base::Duration(static_cast<std::int64_t>(std::floor(burst() * 1e9 / rate_)));
  }
  bool used_up(base::Time now) const { return again() > now; }

  void spend(std::size_t events, base::Time now) {
    level_ = level(now) - static_cast<double>(events);
    at_ = now;
    full_at_ = std::max(full_at_, now) + time_for(static_cast<double>(events));
  }
  /// What is missing stays missing.
  void change(double rate, base::Time now) {
    const double missing = std::max(0.0, seconds(full_at_ - now)) * rate_;
    const double missing_level = burst() - level(now);
    rate_ = rate;
    level_ = burst() - missing_level;
    at_ = now;
    full_at_ = now + time_for(missing);
  }

 private:
  static constexpr double tolerance = 1e-3;  ///< of an event, for what is rounded

  static double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }
  base::Duration time_for(double events) const {
    return base::Duration(static_cast<std::int64_t>(std::ceil(events * 1e9 / rate_)));
  }
  double level(base::Time now) const { return std::min(burst(), level_ + seconds(now - at_) * rate_); }

  double rate_;
  double level_;
  base::Time at_{};
  base::Time full_at_{};
};

}  // namespace windlass::sim
