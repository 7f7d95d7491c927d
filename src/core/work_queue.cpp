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
  fresh_.push_back({std::move(submission), 0, options_.max_attempts, unlimited, now});
}

void WorkQueue::push_retry(Work work) {
  retries_.push_back(std::move(work));
}

std::optional<Work> WorkQueue::draw(WorkerId worker, bool others, base::Time now) {
  for (auto work = retries_.begin(); work != retries_.end(); ++work) {
    if (work->not_before > now || (others && work->failed_at == worker)) continue;
    Work drawn = std::move(*work);
    retries_.erase(work);
    last_draw_ = now;
    return drawn;
  }
  if (fresh_.empty()) return std::nullopt;
  last_draw_ = now;
  return cut();
}

Work WorkQueue::cut() {
  Work work;
  work.backoff = work_backoff_;
  work.attempts_left = fresh_.front().attempts_left;
  work.unlimited = fresh_.front().unlimited;
  std::size_t room_bytes = options_.bulk_max_bytes;
  std::uint32_t room_events = options_.bulk_max_events;
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

base::Time WorkQueue::charged_at(base::Time waiting_since) const {
  return base::after(std::max(waiting_since, last_draw_), options_.timeout);
}

std::vector<Work> WorkQueue::charge_waits(base::Time now) {
  std::vector<Work> spent;
  std::erase_if(retries_, [&](Work& work) {
    if (work.unlimited || charged_at(work.waiting_since) > now) return false;
    work.waiting_since = now;
    if (--work.attempts_left > 0) return false;
    spent.push_back(std::move(work));
    return true;
  });
  std::erase_if(fresh_, [&](Fresh& fresh) {
    if (fresh.unlimited || charged_at(fresh.waiting_since) > now) return false;
    fresh.waiting_since = now;
    if (--fresh.attempts_left > 0) return false;
    spent.push_back(rest_of(fresh));
    return true;
  });
  return spent;
}

std::vector<Work> WorkQueue::take_all() {
  std::vector<Work> all;
  for (Work& work : retries_) all.push_back(std::move(work));
  for (const Fresh& fresh : fresh_) all.push_back(rest_of(fresh));
  retries_.clear();
  fresh_.clear();
  return all;
}

base::Time WorkQueue::next_charge() const {
  base::Time first = base::never;
  for (const Work& work : retries_)
    if (!work.unlimited) first = std::min(first, charged_at(work.waiting_since));
  for (const Fresh& fresh : fresh_) {
    if (fresh.unlimited) continue;
    // Submissions wait in the order of arrival, and waits that were charged keep that order: the first is the earliest.
    first = std::min(first, charged_at(fresh.waiting_since));
    break;
  }
  return first;
}

base::Time WorkQueue::next_available(base::Time now) const {
  base::Time first = base::never;
  for (const Work& work : retries_)
    if (work.not_before > now) first = std::min(first, work.not_before);
  return first;
}

}  // namespace windlass::core
