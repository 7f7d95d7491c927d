// The part of the balancer that lets workers join and leave, and has old connections replaced.
#include <algorithm>
#include <utility>

#include "core/balancer.h"

namespace windlass::core {

WorkerId Balancer::add_worker(WorkerOptions options, base::Time now) {
  now_ = now;
  const EndpointId endpoint = endpoints_.meet(options.endpoint);
  limits_.set(endpoint, options.rate_limit, now);
  return join(std::move(options), endpoint);
}

void Balancer::remove_worker(WorkerId id, base::Time leave_by, base::Time now) {
  now_ = now;
  if (closed_ || id >= workers_.size() || workers_[id].state() == Worker::State::gone) return;
  for (WorkerId other = 0; other < workers_.size(); ++other)
    if (workers_[other].successor() == id) return remove_worker(other, leave_by, now);
  call_off_successor(id);
  retire(id, leave_by);
}

WorkerId Balancer::join(WorkerOptions options, EndpointId endpoint) {
  const WorkerId id = free_.empty() ? static_cast<WorkerId>(workers_.size()) : free_.back();
  const unsigned window = options.window;
  if (free_.empty()) {
    workers_.emplace_back(std::move(options), endpoint);
  } else {
    free_.pop_back();
    workers_[id] = Worker(std::move(options), endpoint, workers_[id].connection());
  }
  endpoints_.joined(endpoint);
  shares_.joined(id);
  limits_.joined(id, endpoint);
  departed_.hand_over(workers_[id]);
  policy_->on_added(id, window);
  connections_stale_ = true;
  return id;
}

/// The worker's connection is too old.
void Balancer::replace(WorkerId id) {
  connections_stale_ = true;
  // One that is not trusted has no capacity that could be missing.
  if (!workers_[id].options().overlaps || workers_[id].failing()) return workers_[id].leave();
  const WorkerId successor = join(workers_[id].options(), workers_[id].endpoint());
  workers_[id].succeed_by(successor);
  outputs_.push_back(Replace{id, successor});
}

void Balancer::call_off_successor(WorkerId id) {
  const std::optional<WorkerId> successor = workers_[id].successor();
  if (!successor) return;
  workers_[id].succeed_by({});
  retire(*successor, base::never);
}

void Balancer::retire(WorkerId id, base::Time leave_by) {
  Worker& worker = workers_[id];
  worker.remove(leave_by);
  connections_stale_ = true;
  if (worker.state() == Worker::State::standby || worker.state() == Worker::State::waiting) {
    left(id);
  } else if (worker.state() == Worker::State::connecting) {
    worker.closing(base::never, {});
    policy_->on_disconnected(id);
    outputs_.push_back(Disconnect{{id, worker.connection()}, {}});
  }
}

void Balancer::left(WorkerId id) {
  Worker& worker = workers_[id];
  worker.gone();
  policy_->on_removed(id);
  outputs_.push_back(Left{id});
  endpoints_.left(worker.endpoint());
  limits_.left(id, now_);
  const std::string& endpoint = worker.options().endpoint;
  const auto heir = std::find_if(workers_.begin(), workers_.end(), [&](const Worker& other) {
    return other.state() != Worker::State::gone && other.options().endpoint == endpoint;
  });
  if (heir != workers_.end()) return heir->absorb(worker);
  departed_.add(worker);
}

/// What a worker that must leave has in flight waits again. Nobody failed, so that costs no attempt.
void Balancer::take_back(WorkerId id, base::Time now) {
  Worker& worker = workers_[id];
  while (!worker.in_flight().empty()) {
    policy_->on_ended(id, worker.in_flight().front(), now);
    Attempt attempt = end_attempt(*attempts_.find(worker.in_flight().front()), now);
    worker.count_failure();
    if (Batch rest = attempt.open_events(); !rest.empty()) return_unblamed(std::move(attempt), std::move(rest), now);
  }
}

void Balancer::return_unblamed(Attempt attempt, Batch rest, base::Time now) {
  bool progressed = attempt.acked > 0;
  Work work = std::move(attempt.work);
  if (progressed) renew(work);
  if (attempt.pair) {
    Pair& pair = *attempt.pair;
    progressed = pair.progressed |= progressed;
    if (Attempt* other = attempts_.find(attempt.id == pair.first ? pair.second : pair.first)) {
      if (attempt.acked > 0) renew(other->work);
      return;  // the attempt goes on
    }
  }
  if (progressed) work.attempts_left = options_.max_attempts;
  ledger_.in_flight -= rest.size();
  work.batch = std::move(rest);
  work.not_before = now;
  wait_again(std::move(work));
}

}  // namespace windlass::core
