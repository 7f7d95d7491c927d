#include "core/rate_limits.h"

#include <algorithm>
#include <cmath>

namespace windlass::core {
namespace {

constexpr double fastest = 1e12;  // whose times are still more than rounding

}  // namespace

void RateLimits::joined(WorkerId worker, EndpointId endpoint) {
  if (worker >= places_.size()) places_.resize(worker + 1);
  const auto limit = limits_.find(endpoint);
  places_[worker] = {endpoint, limit == limits_.end() ? nullptr : &limit->second, true};
  if (limit != limits_.end()) ++limit->second.workers;
}

void RateLimits::left(WorkerId worker, base::Time now) {
  if (places_[worker].limit) --places_[worker].limit->workers;
  places_[worker] = {};
  forget_left(now);
}

void RateLimits::set(EndpointId endpoint, double rate, base::Time now) {
  const auto known = limits_.find(endpoint);
  if (!(rate > 0)) {
    if (known == limits_.end()) return;
    for (Place& place : places_)
      if (place.limit == &known->second) place.limit = nullptr;
    limits_.erase(known);
  } else if (known != limits_.end()) {
    known->second.bucket.set_rate(std::min(rate, fastest), now);
  } else {
    Limit& limit = limits_.emplace(endpoint, Limit{TokenBucket(std::min(rate, fastest)), 0}).first->second;
    for (Place& place : places_) {
      if (!place.present || place.endpoint != endpoint) continue;
      place.limit = &limit;
      ++limit.workers;
    }
  }
}

/// Those that are full are as those that nobody has heard of.
void RateLimits::forget_left(base::Time now) {
  std::size_t kept = 0;
  auto first_full = limits_.end();
  for (auto limit = limits_.begin(); limit != limits_.end();) {
    if (limit->second.workers > 0) {
      ++limit;
    } else if (limit->second.bucket.full_at() <= now) {
      limit = limits_.erase(limit);
    } else {
      ++kept;
      if (first_full == limits_.end() || limit->second.bucket.full_at() < first_full->second.bucket.full_at())
        first_full = limit;
      ++limit;
    }
  }
  if (kept > most_left) limits_.erase(first_full);
}

base::Time RateLimits::spend(WorkerId worker, std::size_t events, base::Time now) {
  Limit* limit = places_[worker].limit;
  if (!limit) return base::Time::min();
  limit->bucket.spend(events, now);
  return limit->bucket.gives_from();
}

std::uint32_t RateLimits::most_events(WorkerId worker) const {
  constexpr std::uint32_t any_number = std::numeric_limits<std::uint32_t>::max();
  const TokenBucket* bucket = bucket_of(worker);
  return bucket ? static_cast<std::uint32_t>(std::min<double>(any_number, std::floor(bucket->burst()))) : any_number;
}

double RateLimits::until(base::Time then, WorkerId worker, base::Time now) const {
  const Limit* limit = limit_of(worker);
  if (!limit) return std::numeric_limits<double>::infinity();
  return limit->bucket.until(then, now) / static_cast<double>(limit->workers);
}

base::Time RateLimits::next(base::Time now) const {
  base::Time first = base::never;
  for (const auto& [endpoint, limit] : limits_)
    if (limit.workers > 0 && !limit.bucket.gives(now)) first = std::min(first, limit.bucket.gives_from());
  return first;
}

}  // namespace windlass::core
