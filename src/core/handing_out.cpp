// The part of the balancer that hands out: which worker gets the head of the queue, and second copies of stragglers.
#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "core/balancer.h"

namespace windlass::core {
namespace {

/// What a policy reckons with; never nothing.
double cost_of(const Batch& batch) {
  return std::max(1.0, static_cast<double>(batch.bytes()));
}

}  // namespace

unsigned Balancer::window(WorkerId worker) const {
  return workers_[worker].failing() ? 1 : policy_->window(worker);
}

/// Nothing is sent behind a batch that may take the connection with it.
bool Balancer::has_room(WorkerId id) const {
  const Worker& worker = workers_[id];
  if (worker.in_flight().empty()) return true;
  return worker.in_flight().size() < window(id) &&
         !attempts_.find(worker.in_flight().back())->work.suspicion.is_strong();
}

void Balancer::find_candidates(base::Time now) {
  participants_.clear();
  candidates_.clear();
  const bool limited = limits_.any();
  for (WorkerId id = 0; id < workers_.size(); ++id) {
    const Worker& worker = workers_[id];
    if (!worker.participating(now)) continue;
    participants_.push_back(id);
    if (limited && !limits_.gives(id, now)) continue;
    if (has_room(id)) candidates_.push_back(id);
  }
}

std::optional<Action> Balancer::hand_out(base::Time now) {
  held_until_ = base::never;
  if (closed_ || queue_.empty()) return std::nullopt;
  find_candidates(now);
  if (candidates_.empty()) return std::nullopt;
  const auto queued = static_cast<double>(queue_.bytes());
  for (std::size_t i = 0; i < queue_.retries().size(); ++i) {
    const Work& work = queue_.retries()[i];
    if (work.not_before > now || !queue_.has_its_turn(work)) continue;
    const auto others_of = [&, where = elsewhere(work, now)](const std::vector<WorkerId>& workers,
                                                             std::vector<WorkerId>& others) {
      others.clear();
      std::copy_if(workers.begin(), workers.end(), std::back_inserter(others),
                   [&](WorkerId id) { return may_go_to(id, work, where); });
    };
    others_of(candidates_, other_candidates_);
    if (other_candidates_.empty()) continue;
    others_of(participants_, other_participants_);
    const HandOutPolicy::Head head{cost_of(work.batch), queued, static_cast<double>(work.batch.size())};
    const auto choice = policy_->choose(other_candidates_, other_participants_, head, now);
    if (choice.worker) {
      const WorkerId worker = by_weight(*choice.worker, other_candidates_, head, false, now);
      return send(queue_.take_retry(i, now), worker, now);
    }
    held_until_ = choice.until;
    return std::nullopt;
  }
  if (!queue_.has_fresh()) return std::nullopt;
  const HandOutPolicy::Head head{std::max(1.0, static_cast<double>(queue_.fresh_head_bytes())), queued,
                                 static_cast<double>(queue_.fresh_head_events())};
  const auto choice = policy_->choose(candidates_, participants_, head, now);
  if (choice.worker) {
    const WorkerId worker = by_weight(*choice.worker, candidates_, head, true, now);
    return send(queue_.take_fresh(limits_.most_events(worker), now), worker, now);
  }
  held_until_ = choice.until;
  return std::nullopt;
}

/// Not to the endpoint that failed it last while another one participates, nor to the worker. One that may be given
/// nothing for now is not waited for, except with the last attempt, and where another endpoint is to show whether it is
/// the batch that is bad.
Balancer::Elsewhere Balancer::elsewhere(const Work& work, base::Time now) const {
  const bool has_time = (work.unlimited || work.attempts_left > 1) && !work.suspicion.is_strong();
  Elsewhere where = Elsewhere::anybody;
  for (const WorkerId id : participants_) {
    if (limits_.any() && has_time && !limits_.gives(id, now)) continue;
    if (!work.failed_last_at(workers_[id].endpoint())) return Elsewhere::another_endpoint;
    if (id != work.failed_at) where = Elsewhere::another_worker;
  }
  return where;
}

bool Balancer::may_go_to(WorkerId id, const Work& work, Elsewhere where) const {
  if (where == Elsewhere::another_endpoint) return !work.failed_last_at(workers_[id].endpoint());
  return where == Elsewhere::anybody || id != work.failed_at;
}

/// The worker that was chosen, or, by their weights, one of those that would be as good. Of new work each gets no more
/// than its limit lets it have at once.
WorkerId Balancer::by_weight(WorkerId chosen, const std::vector<WorkerId>& candidates, const HandOutPolicy::Head& head,
                             bool is_new, base::Time now) {
  const auto weight_of = [&](WorkerId id) { return std::max(1u, workers_[id].options().weight); };
  const bool alike = std::all_of(candidates.begin(), candidates.end(),
                                 [&](WorkerId id) { return weight_of(id) == weight_of(chosen); });
  if (alike) return chosen;
  as_good_.clear();
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(as_good_),
               [&](WorkerId id) { return id == chosen || policy_->as_good(id, chosen, head, now); });
  const auto cost_at = [&](WorkerId id) {
    return is_new ? head.cost * std::min(1.0, limits_.most_events(id) / head.events) : head.cost;
  };
  return shares_.pick(as_good_, weight_of, cost_at);
}

/// When nothing is handed out: a second copy of a straggler to a worker that would idle.
std::optional<Action> Balancer::hedge(base::Time now) {
  hedge_at_ = base::never;
  if (closed_ || !hedge_budget_.any()) return std::nullopt;
  find_candidates(now);
  std::erase_if(candidates_, [&](WorkerId id) { return workers_[id].failing(); });
  const auto may = [&](AttemptId id, WorkerId worker) {
    const Attempt& attempt = *attempts_.find(id);
    const Work& work = attempt.work;
    const bool failed_it = work.failed_last_at(workers_[worker].endpoint());
    return attempt.unacked() > 0 && !attempt.pair && worker != attempt.worker && !failed_it &&
           !work.suspicion.is_strong() && hedge_budget_.allows(attempt.unacked());
  };
  const HandOutPolicy::Hedge hedge = policy_->hedge(candidates_, may, now);
  if (hedge.worker) return send_copy(*attempts_.find(hedge.attempt), *hedge.worker, now);
  hedge_at_ = hedge.until;
  return std::nullopt;
}

Send Balancer::send(Work work, WorkerId worker, base::Time now) {
  ++work.sends;
  ledger_.queued -= work.batch.size();
  ledger_.in_flight += work.batch.size();
  return start(std::move(work), worker, now);
}

Send Balancer::send_copy(Attempt& first, WorkerId worker, base::Time now) {
  const std::uint32_t events = first.unacked();
  ledger_.hedged += events;
  hedge_budget_.spend(events);
  const auto pair = std::make_shared<Pair>();
  pair->first = first.id;
  pair->ended.resize(events);
  first.pair = pair;
  first.before_pair = first.acked;
  Work work = first.work;
  work.batch = work.batch.part(first.acked, events);
  Send send = start(std::move(work), worker, now);
  pair->second = send.attempt;
  attempts_.find(send.attempt)->pair = pair;
  return send;
}

Send Balancer::start(Work work, WorkerId worker, base::Time now) {
  const std::size_t events = work.batch.size();
  const Attempt& attempt = attempts_.add(std::move(work), worker, now);
  workers_[worker].sent(attempt.id, events, options_, now);
  if (limits_.any()) queue_.is_drawn_until(limits_.spend(worker, events, now));
  policy_->on_sent(worker, attempt.id, cost_of(attempt.work.batch), now);
  return {worker, attempt.id, attempt.work.batch};
}

}  // namespace windlass::core
