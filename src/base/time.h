// Time as a number that is passed in: the balancer and the protocols have no clock of their own.
#pragma once

#include <chrono>

namespace windlass::base {

using Duration = std::chrono::nanoseconds;

/// Monotonic time since an origin that only its supplier knows: the steady clock's in the program, the run's beginning
/// in the simulator.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Time = MonotonicClock::time_point;

/// The time of day, as the system has it: for dates that peers write and read, never for measuring.
using WallTime = std::chrono::system_clock::time_point;

/// Later than any time that occurs: "no deadline".
inline constexpr Time never = Time::max();

/// `time + duration`, or never where that would overflow.
constexpr Time after(Time time, Duration duration) {
  return duration > never - time ? never : time + duration;
}

}  // namespace windlass::base
