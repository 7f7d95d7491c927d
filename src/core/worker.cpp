#include "core/worker.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace windlass::core {

Worker::Worker(WorkerOptions options, EndpointId endpoint, std::uint32_t last_connection)
    : options_(std::move(options)),
      endpoint_(endpoint),
      backoff_(options_.wait_retry, options_.max_wait_retry),
      connection_(last_connection) {
  figures_.endpoint = options_.endpoint;
}

base::Time Worker::next_timeout() const {
  base::Time next = std::min({deadline_, silence_deadline_, progress_deadline_});
  if (state_ == State::connected && !leaving_ && !successor_) next = std::min(next, expires_);
  if (state_ == State::connected) next = std::min(next, leave_by_);
  return next;
}

std::error_code Worker::overdue(base::Time now) const {
  if (state_ == State::connecting && deadline_ <= now) return errc::timeout;
  if (silence_deadline_ <= now) return errc::timeout;
  if (progress_deadline_ <= now) return errc::no_progress;
  return {};
}

bool Worker::too_old(base::Time now) const {
  return state_ == State::connected && expires_ <= now;
}

WorkerStatistics Worker::statistics(base::Time now) const {
  WorkerStatistics figures = figures_;
  switch (state_) {
    case State::standby:
      figures.state = WorkerState::standby;
      break;
    case State::waiting:
      figures.state = WorkerState::waiting;
      break;
    case State::connecting:
      figures.state = WorkerState::connecting;
      break;
    case State::connected:
      figures.state = resting(now) ? WorkerState::resting : WorkerState::connected;
      break;
    case State::closing:
      figures.state = WorkerState::closing;
      break;
    case State::gone:
      figures.state = WorkerState::left;
      break;
  }
  figures.latency = {latency_.count(), latency_.quantile(0.5), latency_.quantile(0.99), latency_.max()};
  return figures;
}

void Worker::connecting(base::Time now, base::Duration timeout) {
  WINDLASS_ASSERT(state_ == State::standby);
  state_ = State::connecting;
  ++connection_;
  deadline_ = base::after(now, timeout);
}

void Worker::connected(base::Time now) {
  WINDLASS_ASSERT(state_ == State::connecting);
  state_ = State::connected;
  deadline_ = base::never;
  connected_at_ = now;
  expires_ = options_.ttl > base::Duration::zero() ? base::after(now, options_.ttl) : base::never;
  leaving_ = removed_;
  was_of_use_ = false;
  ++figures_.connects;
}

void Worker::sent(AttemptId attempt, std::size_t events, const Options& options, base::Time now) {
  if (in_flight_.empty()) {
    silence_deadline_ = base::after(now, options.timeout);
    progress_deadline_ = base::after(now, options.progress_timeout);
  }
  in_flight_.push_back(attempt);
  figures_.in_flight += events;
}

void Worker::ended(AttemptId attempt, std::size_t events, const Options& options, base::Time now) {
  const auto place = std::find(in_flight_.begin(), in_flight_.end(), attempt);
  WINDLASS_ASSERT(place != in_flight_.end());
  if (place == in_flight_.begin()) progress_deadline_ = base::after(now, options.progress_timeout);
  in_flight_.erase(place);
  figures_.in_flight -= events;
  if (in_flight_.empty()) silence_deadline_ = progress_deadline_ = base::never;
}

void Worker::alive(const Options& options, base::Time now) {
  if (!in_flight_.empty()) silence_deadline_ = base::after(now, options.timeout);
}

void Worker::progressed(AttemptId attempt, const Options& options, base::Time now) {
  backoff_.succeeded();
  was_of_use_ = true;
  alive(options, now);
  if (!in_flight_.empty() && in_flight_.front() == attempt)
    progress_deadline_ = base::after(now, options.progress_timeout);
}

void Worker::completed(base::Duration round_trip) {
  ++figures_.batches;
  latency_.add(round_trip);
}

void Worker::rest(base::Time until, std::error_code error) {
  rest_until_ = std::max(rest_until_, until);
  figures_.last_error = error;
}

void Worker::closing(base::Time reconnect_at, std::error_code error) {
  WINDLASS_ASSERT(state_ == State::connecting || state_ == State::connected);
  WINDLASS_ASSERT(in_flight_.empty());
  state_ = State::closing;
  deadline_ = base::never;
  reconnect_at_ = reconnect_at;
  if (error) figures_.last_error = error;
}

void Worker::closed() {
  WINDLASS_ASSERT(state_ == State::closing);
  if (reconnect_at_ == base::never) {
    state_ = State::standby;
  } else {
    state_ = State::waiting;
    deadline_ = reconnect_at_;
  }
}

void Worker::remove(base::Time leave_by) {
  removed_ = leaving_ = true;
  leave_by_ = std::min(leave_by_, leave_by);
}

void Worker::gone() {
  WINDLASS_ASSERT(removed_ && (state_ == State::standby || state_ == State::waiting));
  state_ = State::gone;
  deadline_ = base::never;
}

void Worker::absorb(const Worker& other) {
  figures_.acked += other.figures_.acked;
  figures_.batches += other.figures_.batches;
  figures_.failed_attempts += other.figures_.failed_attempts;
  figures_.connects += other.figures_.connects;
  if (!figures_.last_error) figures_.last_error = other.figures_.last_error;
  latency_.merge(other.latency_);
}

void Worker::wait_is_over() {
  WINDLASS_ASSERT(state_ == State::waiting);
  state_ = State::standby;
  deadline_ = base::never;
}

}  // namespace windlass::core
