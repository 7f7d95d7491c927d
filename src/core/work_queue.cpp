#include "core/work_queue.h"

#include <algorithm>
#include <utility>

namespace windlass::core {
namespace {

/// How many events from `first` on fit into `bytes`.
std::uint32_t fitting(const EventBuffer& events, std::uint32_t first, std::uint32_t most, std::size_t bytes) {
  std::uint32_t low = 0;
  std::uint32_t high = most;
  if (events.bytes_between(first, first + most) <= bytes) return most;
  while (low + 1 < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    (events.bytes_between(first, first + middle) <= bytes ? low : high) = middle;
  }
  return low;
}

}  // namespace

void WorkQueue::push(std::shared_ptr<Submission> submission, base::Time now) {
  const bool unlimited = options_.max_attempts == 0 || options_.guaranteed || submission->guaranteed;
  fresh_bytes_ += submission->bytes();
  fresh_events_ += submission->size();
  fresh_.push_back({std::move(submission), 0, options_.max_attempts, unlimited, now});
  limited_ += !unlimited;
}

void WorkQueue::push_retry(Work work) {
  retry_bytes_ += work.batch.bytes();
  retries_.push_back(std::move(work));
}

Work WorkQueue::take_retry(std::size_t index, base::Time now) {
  charge_waits(now);
  is_drawn_until(now);
  const auto place = retries_.begin() + static_cast<std::ptrdiff_t>(index);
  Work work = std::move(*place);
  retries_.erase(place);
  if (work.yields) fresh_draws_ = 0;
  retry_bytes_ -= work.batch.bytes();
  return work;
}

Work WorkQueue::take_fresh(std::uint32_t most, base::Time now) {
  charge_waits(now);
  is_drawn_until(now);
  ++fresh_draws_;
  Work work = cut(std::min(most, options_.bulk_max_events));
  fresh_bytes_ -= work.batch.bytes();
  fresh_events_ -= work.batch.size();
  return work;
}

std::size_t WorkQueue::fresh_head_bytes() const {
  if (fresh_events_ == 0) return 0;
  const std::size_t of_most_events = fresh_bytes_ / fresh_events_ * options_.bulk_max_events;
  return std::min({fresh_bytes_, options_.bulk_max_bytes, of_most_events});
}

std::size_t WorkQueue::fresh_head_events() const {
  return std::min<std::size_t>(fresh_events_, options_.bulk_max_events);
}

Work WorkQueue::cut(std::uint32_t room_events) {
  Work work;
  work.backoff = work_backoff_;
  work.attempts_left = fresh_.front().attempts_left;
  work.unlimited = fresh_.front().unlimited;
  std::size_t room_bytes = options_.bulk_max_bytes;
  while (!fresh_.empty() && room_events > 0) {
    Fresh& front = fresh_.front();
    if (front.attempts_left != work.attempts_left || front.unlimited != work.unlimited) break;
    const auto left = static_cast<std::uint32_t>(front.submission->size()) - front.next;
    std::uint32_t count = fitting(*front.submission, front.next, std::min(left, room_events), room_bytes);
    if (count == 0) {
      if (!work.batch.empty()) break;
      count = 1;
    }
    const std::size_t bytes = front.submission->bytes_between(front.next, front.next + count);
    room_bytes -= std::min(room_bytes, bytes);
    room_events -= count;
    if (count == left) {
      work.batch.append({std::move(front.submission), front.next, count});
      limited_ -= !front.unlimited;
      fresh_.pop_front();
    } else {
      work.batch.append({front.submission, front.next, count});
      front.next += count;
      break;
    }
  }
  return work;
}

Work WorkQueue::rest_of(const Fresh& fresh) const {
  Work work;
  work.backoff = work_backoff_;
  work.unlimited = fresh.unlimited;
  work.batch.append({fresh.submission, fresh.next, static_cast<std::uint32_t>(fresh.submission->size()) - fresh.next});
  return work;
}

void WorkQueue::charge_waits(base::Time now) {
  if (now - last_draw_ < options_.timeout) return;
  const auto charge = [&](auto& waiting) {
    const auto waits =
        std::max<std::int64_t>(0, (now - std::max(waiting.waiting_since, last_draw_)) / options_.timeout);
    // What is about to be drawn although it has expired just now has its last attempt.
    waiting.attempts_left -= static_cast<int>(std::min<std::int64_t>(waits, waiting.attempts_left - 1));
  };
  for (Work& work : retries_)
    if (!work.unlimited) charge(work);
  for (Fresh& fresh : fresh_)
    if (!fresh.unlimited) charge(fresh);
}

template <typename Waiting>
base::Time WorkQueue::expiry_of(const Waiting& waiting) const {
  const base::Time since = std::max(waiting.waiting_since, last_draw_);
  return options_.timeout > (base::never - since) / waiting.attempts_left
             ? base::never
             : since + waiting.attempts_left * options_.timeout;
}

std::vector<Work> WorkQueue::take_expired(base::Time now) {
  std::vector<Work> expired;
  std::erase_if(retries_, [&](Work& work) {
    if (work.unlimited || expiry_of(work) > now) return false;
    retry_bytes_ -= work.batch.bytes();
    expired.push_back(std::move(work));
    return true;
  });
  // Of new work, what came later never expires earlier.
  for (auto fresh = fresh_.begin(); limited_ > 0 && fresh != fresh_.end();) {
    if (fresh->unlimited) {
      ++fresh;
      continue;
    }
    if (expiry_of(*fresh) > now) break;
    expired.push_back(rest_of(*fresh));
    fresh_bytes_ -= expired.back().batch.bytes();
    fresh_events_ -= expired.back().batch.size();
    fresh = fresh_.erase(fresh);
    --limited_;
  }
  return expired;
}

std::vector<Work> WorkQueue::take_all() {
  std::vector<Work> all;
  for (Work& work : retries_) all.push_back(std::move(work));
  for (const Fresh& fresh : fresh_) all.push_back(rest_of(fresh));
  retries_.clear();
  fresh_.clear();
  retry_bytes_ = fresh_bytes_ = fresh_events_ = limited_ = 0;
  return all;
}

base::Time WorkQueue::next_expiry() const {
  base::Time first = base::never;
  for (const Work& work : retries_)
    if (!work.unlimited) first = std::min(first, expiry_of(work));
  if (limited_ == 0) return first;
  const auto fresh = std::find_if(fresh_.begin(), fresh_.end(), [](const Fresh& one) { return !one.unlimited; });
  return std::min(first, expiry_of(*fresh));
}

base::Time WorkQueue::next_available(base::Time now) const {
  base::Time first = base::never;
  for (const Work& work : retries_)
    if (work.not_before > now) first = std::min(first, work.not_before);
  return first;
}

}  // namespace windlass::core
