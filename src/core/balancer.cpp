#include "core/balancer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace windlass::core {
namespace {

/// All buffers in the balancer's batches are submissions: offer() is the only way in.
Submission& submission_of(const Batch::Slice& slice) {
  return const_cast<Submission&>(static_cast<const Submission&>(*slice.buffer));
}

std::shared_ptr<Submission> share_submission(const Batch::Slice& slice) {
  return {slice.buffer, &submission_of(slice)};
}

/// The result with its list in order: an event that a client names out of turn must not pass for acknowledged.
PublishResult ascending(PublishResult result) {
  const auto by_index = [](const PublishResult::Unpublished& a, const PublishResult::Unpublished& b) {
    return a.index < b.index;
  };
  if (!std::is_sorted(result.rest.begin(), result.rest.end(), by_index))
    std::stable_sort(result.rest.begin(), result.rest.end(), by_index);
  return result;
}

/// Brings what would stop or spin to the nearest value that works.
Options workable(Options options) {
  constexpr base::Duration shortest = std::chrono::milliseconds(1);
  options.max_attempts = std::max(options.max_attempts, 0);
  options.timeout = std::max(options.timeout, shortest);
  options.progress_timeout = std::max(options.progress_timeout, shortest);
  options.bulk_max_events = std::max(options.bulk_max_events, 1u);
  return options;
}

/// For work that fails again and again.
Backoff work_backoff(const std::vector<WorkerOptions>& workers) {
  const WorkerOptions options = workers.empty() ? WorkerOptions{} : workers.front();
  return {options.wait_retry, options.max_wait_retry};
}

std::unique_ptr<HandOutPolicy> fixed_at_bounds(const std::vector<WorkerOptions>& workers) {
  std::vector<unsigned> windows;
  for (const WorkerOptions& worker : workers) windows.push_back(worker.window);
  return fixed_windows(std::move(windows));
}

}  // namespace

Balancer::Balancer(Options options, std::vector<WorkerOptions> workers, std::uint64_t seed, base::Time now)
    : Balancer(options, workers, fixed_at_bounds(workers), seed, now) {}

Balancer::Balancer(Options options, std::vector<WorkerOptions> workers, std::unique_ptr<HandOutPolicy> policy,
                   std::uint64_t seed, base::Time now)
    : options_(workable(options)),
      random_(seed),
      queue_(options_, work_backoff(workers)),
      policy_(std::move(policy)),
      hedge_budget_(options_.max_duplicates, options_.bulk_max_events),
      now_(now) {
  workers_.reserve(workers.size());
  for (WorkerOptions& worker : workers) {
    const EndpointId endpoint = endpoints_.meet(worker.endpoint);
    endpoints_.joined(endpoint);
    shares_.joined(static_cast<WorkerId>(workers_.size()));
    limits_.set(endpoint, worker.rate_limit, now);
    limits_.joined(static_cast<WorkerId>(workers_.size()), endpoint);
    workers_.emplace_back(std::move(worker), endpoint);
  }
  policy_->heed(limits_);
}

// ---- commands

std::error_code Balancer::offer(std::shared_ptr<Submission> submission, base::Time now) {
  now_ = now;
  const std::size_t events = submission->size();
  const std::size_t bytes = submission->bytes();
  std::error_code refusal;
  if (!accepting_) {
    refusal = errc::closed;
  } else if (events == 0) {
    refusal = errc::no_events;
  } else if (events > options_.queue_events || bytes > options_.queue_bytes) {
    refusal = errc::too_large;
  } else if (held_events_ + events > options_.queue_events || held_bytes_ + bytes > options_.queue_bytes) {
    refusal = errc::queue_full;
  }
  if (refusal) {
    ledger_.refused += events;
    return refusal;
  }
  held_events_ += events;
  held_bytes_ += bytes;
  policy_->on_offered(static_cast<double>(bytes), now);
  ledger_.accepted += events;
  ledger_.queued += events;
  submission->acked = submission->failed = submission->dead_lettered = 0;
  submission->failure.clear();
  queue_.push(std::move(submission), now);
  return {};
}

void Balancer::drain(base::Time deadline, base::Time now) {
  now_ = now;
  accepting_ = false;
  draining_ = true;
  drain_deadline_ = std::min(drain_deadline_, deadline);
  if (held_events_ == 0 || drain_deadline_ <= now) close(now);
}

void Balancer::close(base::Time now) {
  now_ = now;
  if (closed_) return;
  accepting_ = false;
  closed_ = true;
  drain_deadline_ = base::never;
  for (WorkerId id = 0; id < workers_.size(); ++id) {
    Worker& worker = workers_[id];
    while (!worker.in_flight().empty()) {
      const Attempt attempt = end_attempt(*attempts_.find(worker.in_flight().front()), now);
      const Batch left = attempt.open_events();
      if (left.empty()) continue;
      attempt.end(attempt.acked, attempt.unacked());
      ledger_.in_flight -= left.size();
      drop(left, errc::closed);
    }
    if (worker.state() == Worker::State::connecting || worker.state() == Worker::State::connected) {
      worker.closing(base::never, {});
      outputs_.push_back(Disconnect{{id, worker.connection()}, {}});
    }
  }
  for (const Work& work : queue_.take_all()) {
    ledger_.queued -= work.batch.size();
    drop(work.batch, errc::closed);
  }
}

std::optional<WorkerId> Balancer::worker_of(AttemptId id) const {
  const Attempt* attempt = attempts_.find(id);
  return attempt ? std::optional(attempt->worker) : std::nullopt;
}

// ---- inputs

Worker* Balancer::current(ConnectionId connection) {
  if (connection.worker >= workers_.size()) return nullptr;
  Worker& worker = workers_[connection.worker];
  return worker.connection() == connection.number ? &worker : nullptr;
}

void Balancer::on_connected(ConnectionId connection, base::Time now) {
  now_ = now;
  Worker* worker = current(connection);
  if (closed_ || !worker || worker->state() != Worker::State::connecting) return;
  worker->connected(now);
  policy_->on_connected(connection.worker, now);
  connections_stale_ = true;
  for (WorkerId id = 0; id < workers_.size(); ++id) {
    if (workers_[id].successor() != connection.worker) continue;
    workers_[id].succeed_by({});
    retire(id, base::never);
  }
}

void Balancer::on_lost(ConnectionId connection, std::error_code error, base::Time now) {
  now_ = now;
  Worker* worker = current(connection);
  if (closed_ || !worker) return;
  const bool blamed = !worker->may_end(now) && at_fault(connection.worker);
  connection_failed(connection.worker, error ? error : make_error_code(errc::connection_lost), blamed, true, now);
}

void Balancer::on_disconnected(ConnectionId connection, base::Time now) {
  now_ = now;
  Worker* worker = current(connection);
  if (!worker || worker->state() != Worker::State::closing) return;
  worker->closed();
  connections_stale_ = true;
  if (worker->removed() && !closed_) return left(connection.worker);
  if (worker->wait_has_ended(now)) worker->wait_is_over();
}

void Balancer::on_alive(ConnectionId connection, base::Time now) {
  now_ = now;
  if (Worker* worker = current(connection)) worker->alive(options_, now);
}

void Balancer::on_progress(AttemptId id, std::uint32_t count, base::Time now) {
  now_ = now;
  Attempt* attempt = attempts_.find(id);
  if (!attempt) return;
  count = std::min(count, attempt->size());
  if (count <= attempt->acked) {
    workers_[attempt->worker].alive(options_, now);
    return;
  }
  const std::uint32_t news = acknowledge(*attempt, attempt->acked, count);
  workers_[attempt->worker].acked_on_the_way(count - attempt->acked, news);
  got_somewhere(workers_[attempt->worker], id, now);
  endpoints_.served(workers_[attempt->worker].endpoint());
  attempt->acked = count;
}

/// What became of the events of a batch.
struct Balancer::SortedOut {
  std::uint32_t acked = 0;   ///< for the first time
  bool served = false;       ///< some were acknowledged
  bool progressed = false;   ///< some were acknowledged or rejected
  bool handed_back = false;  ///< some were neither
  bool throttled = false;    ///< some of those because the endpoint asked for less
  bool failed = false;       ///< some of those with an error
  Batch rest;                ///< those that another copy has not ended: to be sent again
  BatchFailure failure;      ///< the last of those errors; of each only where each has one that tells against it
};

Balancer::SortedOut Balancer::sort_out(const Attempt& attempt, const PublishResult& result) {
  SortedOut sorted;
  std::uint32_t from = attempt.acked;
  const std::uint32_t size = attempt.size();
  const std::uint32_t rest_from = std::clamp(result.rest_from, from, size);
  const auto acked_until = [&](std::uint32_t end) {
    if (end <= from) return;
    sorted.progressed = sorted.served = true;
    sorted.acked += acknowledge(attempt, from, end);
    from = end;
  };
  const auto sort_rest = [&](std::uint32_t end, std::error_code why, const std::string& detail, bool of_one) {
    const ErrorClass what = why ? classify(why) : ErrorClass::retryable;
    const bool permanent = what == ErrorClass::permanent;
    (permanent ? sorted.progressed : sorted.handed_back) = true;
    sorted.throttled |= what == ErrorClass::throttled;
    sorted.failed |= why && !permanent;
    if (why && !permanent) {
      sorted.failure.error = why;
      sorted.failure.detail = detail;
    }
    attempt.for_each_open(from, end, [&](std::uint32_t first, std::uint32_t count) {
      const Batch part = attempt.work.batch.part(first, count);
      if (permanent) {
        attempt.end(first, count);
        ledger_.in_flight -= count;
        const std::string& endpoint = endpoints_.name(workers_[attempt.worker].endpoint());
        give_up({part, errc::rejected, why, attempt.work.sends, {endpoint}, detail});
      } else {
        append(sorted.rest, part);
        if (of_one && why && what == ErrorClass::retryable) sorted.failure.of_each.push_back({why, detail});
      }
    });
    from = end;
  };
  for (const PublishResult::Unpublished& event : result.rest) {
    if (event.index < from || event.index >= rest_from) continue;
    acked_until(event.index);
    sort_rest(event.index + 1, event.why, event.detail, true);
  }
  acked_until(rest_from);
  if (rest_from < size) sort_rest(size, result.error, result.detail, false);
  if (result.error || sorted.failure.of_each.size() != sorted.rest.size()) sorted.failure.of_each.clear();
  return sorted;
}

void Balancer::on_result(AttemptId id, const PublishResult& result, base::Time now) {
  now_ = now;
  Attempt* found = attempts_.find(id);
  if (!found) return;
  Attempt attempt = end_attempt(*found, now);
  const WorkerId worker_id = attempt.worker;
  Worker& worker = workers_[worker_id];
  const bool blamed = worker.failing() || !attempt.work.may_be_bad(worker.endpoint(), endpoints_);
  SortedOut sorted = sort_out(attempt, ascending(result));
  worker.alive(options_, now);

  const ErrorClass what = result.error ? classify(result.error) : ErrorClass::permanent;
  const bool endpoint_failed = result.error && what != ErrorClass::permanent;
  const bool completed = !sorted.handed_back && !endpoint_failed;
  worker.acked_some(sorted.acked);
  if (sorted.progressed || completed) {
    // Whatever else it said, it got somewhere with these.
    got_somewhere(worker, id, now);
  }
  if (sorted.served) endpoints_.served(worker.endpoint());
  if (sorted.throttled) policy_->on_throttled(worker_id, now);

  const bool progressed = attempt.acked > 0 || sorted.progressed;
  if (completed) {
    worker.completed(now - attempt.sent_at);
    policy_->on_acked(worker_id, id, now);
  } else {
    worker.count_failure();
    policy_->on_ended(worker_id, id, now);
  }
  if (!sorted.rest.empty()) {
    const bool costs_attempt = endpoint_failed || sorted.failed;
    const bool took_others = sorted.served && !endpoint_failed;
    const Fault fault = !costs_attempt     ? Fault::nobody
                        : sorted.throttled ? Fault::endpoint
                        : took_others      ? Fault::events
                                           : Fault::batch_or_endpoint;
    give_back(std::move(attempt), std::move(sorted.rest), progressed, fault, std::move(sorted.failure), now);
  }
  if (endpoint_failed && what == ErrorClass::connection_fatal) {
    connection_failed(worker_id, result.error, blamed, false, now);
  } else if (endpoint_failed || (sorted.handed_back && !progressed)) {
    rest(worker_id, result, blamed, now);
  }
}

void Balancer::handle_timeout(base::Time now) {
  now_ = now;
  if (closed_) return;
  if (drain_deadline_ <= now) return close(now);
  for (WorkerId id = 0; id < workers_.size(); ++id) {
    Worker& worker = workers_[id];
    if (worker.must_leave(now)) {
      take_back(id, now);
      connections_stale_ = true;
    } else if (const std::error_code error = worker.overdue(now)) {
      connection_failed(id, error, at_fault(id), true, now);
    } else if (worker.wait_has_ended(now)) {
      worker.wait_is_over();
      connections_stale_ = true;
    } else if (worker.too_old(now) && !worker.leaving() && !worker.successor()) {
      replace(id);
    }
  }
  for (const Work& work : queue_.take_expired(now)) {
    ledger_.queued -= work.batch.size();
    drop(work.batch, errc::no_worker);
  }
}

// ---- taking back

/// Whether the end of the connection tells against the worker; if not, against the work that it has had for longest.
bool Balancer::at_fault(WorkerId id) const {
  const Worker& worker = workers_[id];
  if (worker.failing() || worker.in_flight().empty()) return true;
  return !attempts_.find(worker.in_flight().front())->work.may_be_bad(worker.endpoint(), endpoints_);
}

void Balancer::got_somewhere(Worker& worker, AttemptId attempt, base::Time now) {
  connections_stale_ |= worker.failing();
  worker.progressed(attempt, options_, now);
}

Attempt Balancer::end_attempt(Attempt& attempt, base::Time now) {
  Worker& worker = workers_[attempt.worker];
  worker.ended(attempt.id, attempt.unacked(), options_, now);
  connections_stale_ |= worker.leaving();
  return attempts_.remove(attempt);
}

/// What it failed before does not count any more.
void Balancer::renew(Work& work) {
  work.failures = 0;
  work.failed_elsewhere = false;
  work.failed_at = Work::nobody;
  work.left_over_at.reset();
  work.suspicion.clear();
  work.backoff.succeeded();
}

void Balancer::give_back(Attempt attempt, Batch rest, bool progressed, Fault fault, BatchFailure failure,
                         base::Time now) {
  Work work = std::move(attempt.work);
  const bool named = !failure.of_each.empty();
  bool pair_progressed = progressed;
  if (Pair* pair = attempt.pair.get()) {
    pair_progressed = pair->progressed |= progressed;
    if (Attempt* other = attempts_.find(attempt.id == pair->first ? pair->second : pair->first))
      return note_failure(other->work, attempt.worker, progressed, fault, named, now);  // the attempt goes on
  }
  ledger_.in_flight -= rest.size();
  work.batch = std::move(rest);
  note_failure(work, attempt.worker, progressed, fault, named, now);
  const bool is_event = work.batch.size() == 1 || (named && work.suspicion.names_events());
  const bool costs_attempt = !pair_progressed && fault != Fault::nobody;
  const bool undeliverable = costs_attempt && is_event && work.suspicion.undeliverable(endpoints_);
  const bool is_batch_bad = work.suspicion.is_batch_bad(endpoints_);
  const bool splits = !is_event && work.suspicion.wants_halves() && (is_batch_bad || work.unlimited);
  const bool begins_anew = splits && is_batch_bad;
  if (undeliverable && options_.dead_letter) {
    std::vector<std::string> accusers;
    for (const EndpointId accuser : work.suspicion.accusers()) accusers.push_back(endpoints_.name(accuser));
    for (std::uint32_t index = 0; index < work.batch.size(); ++index) {
      const Failure& said = named ? failure.of_each[index] : failure;
      give_up({work.batch.part(index, 1), errc::undeliverable, said.error, work.sends, accusers, said.detail});
    }
    return;
  }
  if (pair_progressed || begins_anew) {
    work.attempts_left = options_.max_attempts;
  } else if (costs_attempt && !work.unlimited && --work.attempts_left == 0) {
    return drop(work.batch, undeliverable ? errc::undeliverable : errc::attempts_exhausted);
  }
  if (begins_anew) {
    work.failures = 0;
    work.backoff.succeeded();
    work.not_before = now;
  }
  work.yields = is_event && work.suspicion.keeps_failing();
  if (!splits) return wait_again(std::move(work));
  work.failed_elsewhere = true;
  work.suspicion.split(endpoints_);
  const std::size_t half = work.batch.size() / 2;
  Work second = work;
  second.batch = work.batch.part(half, work.batch.size() - half);
  work.batch = work.batch.part(0, half);
  wait_again(std::move(work));
  wait_again(std::move(second));
}

void Balancer::wait_again(Work work) {
  work.waiting_since = work.not_before;
  ledger_.queued += work.batch.size();
  ledger_.retried += work.batch.size();
  queue_.push_retry(std::move(work));
}

void Balancer::note_failure(Work& work, WorkerId worker, bool progressed, Fault fault, bool named, base::Time now) {
  const EndpointId endpoint = workers_[worker].endpoint();
  if (progressed) {
    renew(work);
    if (fault == Fault::events) work.left_over_at = endpoint;
  } else if (fault == Fault::batch_or_endpoint) {
    work.suspicion.failed_at(endpoint, endpoints_, named);
  }
  work.failed_elsewhere |= work.failed_at != Work::nobody && work.failed_endpoint != endpoint;
  work.failed_at = worker;
  work.failed_endpoint = endpoint;
  ++work.failures;
  const base::Duration wait = work.backoff.failed(now, random_);
  // The first time it goes elsewhere at once. What keeps failing waits, so that other work gets its turn.
  work.not_before = work.failures > 1 ? now + wait : now;
}

void Balancer::rest(WorkerId id, const PublishResult& result, bool blamed, base::Time now) {
  Worker& worker = workers_[id];
  base::Time until = now;
  if (blamed) {
    until = now + worker.failed(now, random_);
    connections_stale_ = true;
  }
  if (result.error && classify(result.error) == ErrorClass::throttled && result.retry_after)
    until =
        std::max(until, now + std::clamp(*result.retry_after, base::Duration::zero(), worker.options().max_wait_retry));
  worker.rest(until, result.error);
}

/// What was in flight there goes back. When the fault is not the worker's, it is the oldest batch's, or that of one
/// that has gone back already, and the others pay nothing for it.
void Balancer::connection_failed(WorkerId id, std::error_code error, bool blamed, bool suspects_oldest,
                                 base::Time now) {
  Worker& worker = workers_[id];
  if (worker.state() != Worker::State::connecting && worker.state() != Worker::State::connected) return;
  const base::Time reconnect_at = blamed ? now + worker.failed(now, random_) : now;
  call_off_successor(id);  // the old connection is not there any more that it was to overlap
  while (!worker.in_flight().empty()) {
    policy_->on_ended(id, worker.in_flight().front(), now);
    Attempt attempt = end_attempt(*attempts_.find(worker.in_flight().front()), now);
    worker.count_failure();
    const bool progressed = attempt.acked > 0;
    Batch rest = attempt.open_events();
    const Fault fault = suspects_oldest ? Fault::batch_or_endpoint : blamed ? Fault::endpoint : Fault::nobody;
    suspects_oldest = false;
    if (!rest.empty()) give_back(std::move(attempt), std::move(rest), progressed, fault, {{error, {}}}, now);
  }
  worker.closing(reconnect_at, error);
  policy_->on_disconnected(id);
  outputs_.push_back(Disconnect{{id, worker.connection()}, error});
  connections_stale_ = true;
}

// ---- settling

/// Answers how many of them had not ended before.
std::uint32_t Balancer::acknowledge(const Attempt& attempt, std::uint32_t from, std::uint32_t end) {
  std::uint32_t news = 0;
  attempt.for_each_open(from, end, [&](std::uint32_t first, std::uint32_t count) {
    attempt.end(first, count);
    news += count;
    settle(count == attempt.size() ? attempt.work.batch : attempt.work.batch.part(first, count), {});
  });
  ledger_.in_flight -= news;
  ledger_.acked += news;
  ledger_.duplicates += end - from - news;
  hedge_budget_.acknowledged(news);
  return news;
}

void Balancer::give_up(DeadLetter letter) {
  const Batch events = letter.events;
  const std::error_code reason = letter.reason;
  if (options_.dead_letter) {
    ledger_.dead_lettered += events.size();
    outputs_.push_back(std::move(letter));
    for (const Batch::Slice& slice : events.slices()) submission_of(slice).dead_lettered += slice.count;
  } else {
    ledger_.dropped[errc::rejected] += events.size();
  }
  settle(events, reason);
}

void Balancer::drop(const Batch& events, errc reason) {
  ledger_.dropped[reason] += events.size();
  settle(events, reason);
}

void Balancer::settle(const Batch& events, std::error_code reason) {
  for (const Batch::Slice& slice : events.slices()) {
    Submission& submission = submission_of(slice);
    (reason ? submission.failed : submission.acked) += slice.count;
    if (reason) submission.failure = reason;
    held_events_ -= slice.count;
    const bool complete = submission.acked + submission.failed == submission.size();
    if (complete) held_bytes_ -= submission.bytes();
    if (submission.signalling == Signalling::each) {
      outputs_.push_back(Settled{share_submission(slice), slice.first, slice.count, reason});
    } else if (submission.signalling == Signalling::all && complete) {
      outputs_.push_back(
          Settled{share_submission(slice), 0, static_cast<std::uint32_t>(submission.size()), submission.failure});
    }
  }
}

// ---- outputs

std::optional<Action> Balancer::poll(base::Time now) {
  now_ = now;
  if (draining_ && held_events_ == 0) close(now);
  if (connections_stale_ && !closed_) {
    connections_stale_ = false;
    update_connections(now);
  }
  if (!outputs_.empty()) {
    std::optional<Action> action(std::move(outputs_.front()));
    outputs_.pop_front();
    if (const auto* gone = std::get_if<Left>(&*action)) free_.push_back(gone->worker);
    return action;
  }
  std::optional<Action> action = hand_out(now);
  return action ? action : hedge(now);
}

base::Time Balancer::next_timeout() const {
  if (closed_) return base::never;
  base::Time next = std::min(drain_deadline_, queue_.next_expiry());
  for (const Worker& worker : workers_) next = std::min(next, worker.next_timeout());
  next = std::min(next, hedge_at_);
  const bool may_hedge = hedge_budget_.any() && ledger_.in_flight > 0;
  if (limits_.any() && (may_hedge || !queue_.empty())) next = std::min(next, limits_.next(now_));
  if (queue_.empty()) return next;
  next = std::min({next, queue_.next_available(now_), held_until_});
  for (const Worker& worker : workers_)
    if (worker.resting(now_)) next = std::min(next, worker.rest_until());
  return next;
}

Statistics Balancer::statistics(base::Time now) const {
  Statistics statistics;
  statistics.ledger = ledger_;
  for (WorkerId id = 0; id < workers_.size(); ++id) {
    if (workers_[id].state() == Worker::State::gone) continue;
    WorkerStatistics& worker = statistics.workers.emplace_back(workers_[id].statistics(now));
    worker.window = window(id);
    worker.window_reason = workers_[id].failing() ? "one batch at a time after a failure" : policy_->window_reason(id);
    if (const TokenBucket* bucket = limits_.bucket_of(id)) {
      worker.rate_limit = bucket->rate();
      worker.at_rate_limit = bucket->was_empty(now);
    }
  }
  departed_.add_statistics(statistics.workers, now);
  return statistics;
}

// ---- connections

void Balancer::update_connections(base::Time now) {
  // A connection to a better endpoint that is not known to be bad makes the others unnecessary.
  unsigned best = std::numeric_limits<unsigned>::max();
  for (const Worker& worker : workers_)
    if (!worker.failing() && !worker.removed()) best = std::min(best, worker.options().priority);
  for (WorkerId id = 0; id < workers_.size(); ++id) {
    Worker& worker = workers_[id];
    const bool is_wanted = !worker.removed() && worker.options().priority <= best;
    if (worker.state() == Worker::State::standby && is_wanted) {
      worker.connecting(now, options_.timeout);
      outputs_.push_back(Connect{{id, worker.connection()}});
    } else if (worker.state() == Worker::State::connected && (worker.leaving() || !is_wanted)) {
      worker.leave();
      call_off_successor(id);
      if (!worker.in_flight().empty()) continue;
      const base::Time reconnect_at = is_wanted ? now : base::never;
      worker.closing(reconnect_at, {});
      policy_->on_disconnected(id);
      outputs_.push_back(Disconnect{{id, worker.connection()}, {}});
    }
  }
}

}  // namespace windlass::core
