#include "app/sink_pace.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace windlass::app {
namespace {

constexpr double most_idling = 0.05;  // seconds
constexpr base::Duration least_pause = std::chrono::milliseconds(2);

double seconds(base::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Pace::Pace(std::vector<RateFrom> rates, base::Time start)
    : rates_(std::move(rates)), start_(start), gathered_at_(start) {}

void Pace::gather(base::Time until) {
  const double most = std::max(1.0, rate() * most_idling);
  gathered_ = std::min(most, gathered_ + rate() * seconds(std::max(base::Duration(0), until - gathered_at_)));
  gathered_at_ = std::max(gathered_at_, until);
}

std::uint64_t Pace::allowance(base::Time now) {
  if (!limited()) return std::numeric_limits<std::uint64_t>::max();
  for (; current_ + 1 < rates_.size() && base::after(start_, rates_[current_ + 1].after) <= now; ++current_)
    gather(base::after(start_, rates_[current_ + 1].after));
  gather(now);
  return static_cast<std::uint64_t>(gathered_);
}

void Pace::spend(std::uint64_t count) {
  if (!limited()) return;
  gathered_ -= static_cast<double>(count);
  WINDLASS_ASSERT(gathered_ >= 0);
}

base::Time Pace::next(base::Time now) const {
  if (!limited()) return now;
  // A tick is longer than what rounding takes from the last event.
  constexpr base::Duration tick{1000};
  const double missing = std::max(0.0, (1 - gathered_) / rate());
  const double longest = 1e9;
  const auto pause = base::Duration(std::llround(std::min(missing, longest) * 1e9)) + tick;
  base::Time change = base::never;
  if (current_ + 1 < rates_.size()) change = base::after(start_, rates_[current_ + 1].after);
  return std::min(change, base::after(std::min(now, gathered_at_), std::max(pause, least_pause)));
}

}  // namespace windlass::app
