#include "core/earliest_finish.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace windlass::core {
namespace {

constexpr double unknown_service = 1e-3;  ///< while nothing at all is known
constexpr double least_patience = 0.5e-3;
constexpr base::Duration soonest = std::chrono::milliseconds(1);  ///< to look again
constexpr double longest_probe_interval = 2;
constexpr double shortest_light_interval = 1;
constexpr double longest_light_interval = 10;
constexpr unsigned light_samples = 8;
constexpr double never = std::numeric_limits<double>::max();
/// A probe gets so many times the time that its batch would have taken at the best of the others.
constexpr double time_for_probe = 3;

/// How long the head waits for faster workers, of the time until the one that is free would have finished it.
constexpr double share_of_wait = 0.8;
/// A worker where the batch would stand in line is rated as if it took so many times as long.
constexpr double wait_counts = 1 / 0.75;
/// Weights decide between workers whose batches would be finished within so many times the time of the best.
constexpr double equally_fast = 1.5;
/// Work is held back in full while arrivals leave a sixteenth of the faster workers' capacity free.
constexpr double gate_slope = 16;
/// The line is short when a trip takes less than this part of the work on a batch. Then what is sent earlier than this
/// part of the work before the endpoint is free only waits there.
constexpr double short_line = 0.5;
constexpr double in_time = 0.2;

double seconds(base::Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

base::Time time_at(double seconds_since_origin) {
  return base::Time(std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds_since_origin)));
}

double median(std::vector<double>& values) {
  if (values.empty()) return unknown_service;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Batches in flight that keep an endpoint busy when the line itself holds `on_line` of them.
double filling(double on_line) {
  return on_line + 1 + 2 * std::sqrt(on_line);
}

}  // namespace

EarliestFinish::EarliestFinish(const std::vector<unsigned>& bounds)
    : lines_(bounds.size()), median_service_(unknown_service), median_idle_(unknown_service), overdue_from_(never) {
  for (std::size_t i = 0; i < bounds.size(); ++i) lines_[i].bound = std::max(1u, bounds[i]);
}

void EarliestFinish::RecentLeast::add(double value, double now) {
  if (!known_ || now - begun_ > 2 * half_) {
    before_ = std::numeric_limits<double>::max();
    least_ = value;
    begun_ = now;
    known_ = true;
  } else if (now - begun_ > half_) {
    before_ = least_;
    least_ = value;
    begun_ = now;
  } else {
    least_ = std::min(least_, value);
  }
}

// ---- what happens

void EarliestFinish::on_added(WorkerId worker, unsigned bound) {
  if (worker >= lines_.size()) lines_.resize(worker + 1);
  lines_[worker] = Line();
  lines_[worker].bound = std::max(1u, bound);
}

void EarliestFinish::on_connected(WorkerId worker, base::Time now) {
  const unsigned bound = lines_[worker].bound;
  lines_[worker] = Line();
  lines_[worker].bound = bound;
  lines_[worker].connected = true;
  lines_[worker].answered_at = lines_[worker].light_at = seconds(now);
  learn_medians();
}

void EarliestFinish::on_disconnected(WorkerId worker) {
  lines_[worker].connected = false;
  learn_medians();
}

void EarliestFinish::on_offered(double cost, base::Time now) {
  const double time = seconds(now);
  arrived_ = arrived_ * std::exp(arrived_at_ - time) + cost;
  arrived_at_ = time;
}

void EarliestFinish::on_sent(WorkerId worker, AttemptId attempt, double cost, base::Time now) {
  count_into_unit(cost);
  Line& line = lines_[worker];
  const View now_taken_for = view(line);
  const double time = seconds(now);
  cost /= unit_;
  const double predicted = finish(line, now_taken_for, cost, time, false);
  const bool probe = probing_ == worker;
  line.copies.push_back({attempt, cost, time, predicted, line.copies.size(), probe, line.light_round > 0,
                         probe ? probe_hedge_at_ : never});
  line.outstanding += cost;
  line.last_finish = predicted;
  if (line.copies.size() >= static_cast<std::size_t>(line.window)) line.window_hit = true;
  probing_.reset();
  mind_overdue(line);
}

void EarliestFinish::on_acked(WorkerId worker, AttemptId attempt, base::Time now) {
  Line& line = lines_[worker];
  const auto copy =
      std::find_if(line.copies.begin(), line.copies.end(), [&](const Copy& one) { return one.attempt == attempt; });
  if (copy == line.copies.end()) return;
  sample(line, *copy, seconds(now));
  remove(line, copy);
  line.last_ack = line.answered_at = seconds(now);
  line.stalled = false;
  learn_medians();
  mind_overdue(line);
}

void EarliestFinish::on_ended(WorkerId worker, AttemptId attempt, base::Time now) {
  Line& line = lines_[worker];
  const auto copy =
      std::find_if(line.copies.begin(), line.copies.end(), [&](const Copy& one) { return one.attempt == attempt; });
  if (copy == line.copies.end()) return;
  remove(line, copy);
  line.last_ack = seconds(now);
  mind_overdue(line);
}

void EarliestFinish::on_throttled(WorkerId worker, base::Time) {
  Line& line = lines_[worker];
  line.window = std::max(1.0, line.window / 2);
  line.window_reason = "halved: throttled";
}

void EarliestFinish::remove(Line& line, std::deque<Copy>::iterator copy) {
  line.outstanding = line.copies.size() == 1 ? 0 : line.outstanding - copy->cost;
  line.copies.erase(copy);
}

/// Estimates are in terms of the average batch; when that has drifted, they are told.
void EarliestFinish::count_into_unit(double cost) {
  if (unit_ == 0) {
    unit_ = unit_now_ = std::max(1.0, cost);
    return;
  }
  unit_now_ += (cost - unit_now_) / 64;
  if (unit_now_ > 0.8 * unit_ && unit_now_ < 1.25 * unit_) return;
  const double factor = unit_now_ / unit_;
  unit_ = unit_now_;
  for (Line& line : lines_) {
    const double trip = std::max(0.0, line.idle - line.service);
    const double unloaded_trip = std::max(0.0, line.unloaded - line.service);
    line.service *= factor;
    line.idle = trip + line.service;
    line.unloaded = unloaded_trip + line.service;
    line.least_gap.scale(factor);
    line.outstanding = 0;
    for (Copy& copy : line.copies) line.outstanding += (copy.cost /= factor);
  }
  learn_medians();
}

// ---- measuring

EarliestFinish::View EarliestFinish::view(const Line& line) const {
  return {line.service_samples > 0 ? line.service : median_service_, line.idle_samples > 0 ? line.idle : median_idle_};
}

void EarliestFinish::learn_medians() {
  std::vector<double>& values = scratch_;
  values.clear();
  for (const Line& line : lines_)
    if (line.connected && line.service_samples > 0) values.push_back(line.service);
  median_service_ = median(values);
  values.clear();
  for (const Line& line : lines_)
    if (line.connected && line.idle_samples > 0) values.push_back(line.idle);
  median_idle_ = median(values);
}

void EarliestFinish::sample(Line& line, const Copy& copy, double now) {
  const View taken_for = view(line);
  const double cost = copy.cost;
  const double round_trip = now - copy.sent;
  const double unit_trip = taken_for.trip() + (round_trip - taken_for.trip()) / cost;
  const double weight = std::min(1.0, cost);

  const double miss = std::abs(now - oldest_finish(line, taken_for));
  line.deviation += (std::min(miss, 4 * line.deviation + cost * taken_for.service) - line.deviation) / 8;

  const bool backlogged_before = line.least_trip.known() && line.last_ack > 0;
  line.least_trip.add(unit_trip, now);
  bool idle_is_fresh = false;
  if (copy.ahead == 0) {
    const bool wide = copy.probe || line.stalled;
    const double old = line.idle;
    ++line.idle_samples;
    if (line.idle_samples == 1 || (wide && (unit_trip < old / 2 || unit_trip > 2 * old))) {
      line.idle = unit_trip;
      if (line.idle_samples > 1 && unit_trip > 2 * old && line.service_samples > 0)
        line.service = std::max(line.service, unit_trip - taken_for.trip());
    } else {
      const double since = now - line.last_idle_sample;
      const double gain = weight * std::max({1.0 / 8, 1.0 / line.idle_samples, 1 - std::exp(-since / 4)});
      line.idle += gain * (unit_trip - line.idle);
    }
    if (copy.probe) {
      const bool agrees = unit_trip > old / 2 && unit_trip < 2 * old;
      line.probe_interval = agrees ? std::min(longest_probe_interval, 2 * line.probe_interval) : 40 * median_idle_;
    }
    line.last_idle_sample = now;
    idle_is_fresh = true;
  }

  // The endpoint had this one waiting when it answered the one before: the gap between is its work.
  const double least_gap = line.least_gap.known() ? line.least_gap.value() : 0;
  const double slack =
      backlogged_before ? std::max(0.0, line.least_trip.value() - std::min(taken_for.service / 2, least_gap)) : 0;
  if (line.last_ack > 0 && copy.ahead > 0 && copy.sent + slack <= line.last_ack) {
    const double gap = (now - line.last_ack) / cost;
    line.least_gap.add(gap, now);
    ++line.service_samples;
    line.service += line.service_samples == 1
                        ? gap - line.service
                        : weight * std::max(1.0 / 16, 1.0 / line.service_samples) * (gap - line.service);
    idle_is_fresh = false;
  }
  if (line.service_samples > 0 && line.idle_samples > 0 && line.service > 2 * line.idle) {
    (idle_is_fresh ? line.service : line.idle) = idle_is_fresh ? line.idle : line.service;
  }
  size_window(line, copy, unit_trip, now);
}

void EarliestFinish::size_window(Line& line, const Copy& copy, double trip, double now) {
  const View taken_for = view(line);
  const unsigned low = light_window(line);
  if (copy.light_round || copy.ahead < std::max(1u, low)) {
    line.unloaded = line.unloaded_known ? line.unloaded + (trip - line.unloaded) / 8 : trip;
    line.unloaded_known = true;
    line.light_at = now;
    line.window_hit = false;
    if (copy.ahead == 0) line.light_interval = 0;
    if (copy.light_round && line.light_round > 0) --line.light_round;
  } else if (line.light_round == 0 && line.window_hit && low >= 2 && now - line.light_at > line.light_interval) {
    // It has been busy for so long that nobody knows any more what the line is like when it is not.
    const double shortest = std::max(shortest_light_interval, 8 * taken_for.idle);
    if (line.light_interval > 0) line.light_round = light_samples;
    line.light_interval = std::clamp(2 * line.light_interval, shortest, std::max(shortest, longest_light_interval));
  }

  const double service = std::max(taken_for.service, 1e-9);
  const double on_line =
      std::max({0.0, line.unloaded_known ? line.unloaded / service - 1 : 0.0,
                line.least_gap.known() ? (line.least_trip.value() - line.least_gap.value()) / service : 0.0});
  const double wanted = std::clamp(std::ceil(filling(on_line) - 0.25), 2.0, std::max(2.0, double(line.bound)));
  const double before = line.window;
  if (line.window < wanted) {
    line.window = std::min(wanted, line.window + std::max(2.0, std::floor(line.window / 2)));
    line.window_reason = "grew: the line holds more";
  } else if (line.window > wanted) {
    line.window = std::max(wanted, line.window - 1);
    line.window_reason = "shrank: the line holds less";
  }
  line.window = std::min(line.window, double(line.bound));
  if (line.window == before && line.window >= double(line.bound)) line.window_reason = "at its bound";
}

// ---- predicting

double EarliestFinish::oldest_finish(const Line& line, const View& taken_for) const {
  const Copy& oldest = line.copies.front();
  const double work = oldest.cost * taken_for.service;
  return std::max({line.last_ack + work, oldest.sent + taken_for.trip() + work, oldest.predicted});
}

double EarliestFinish::lateness(const Line& line, const View& taken_for, double now) const {
  return line.copies.empty() ? 0 : std::max(0.0, now - oldest_finish(line, taken_for));
}

double EarliestFinish::free_at(const Line& line, const View& taken_for, double now, bool with_lateness) const {
  const Copy& oldest = line.copies.front();
  const Copy& newest = line.copies.back();
  const double service = taken_for.service;
  const double trip = taken_for.trip();
  double free = std::min(std::max({line.last_finish, line.last_ack + line.outstanding * service,
                                   newest.sent + trip + newest.cost * service}),
                         now + trip + line.outstanding * service);
  if (with_lateness) {
    const double late = lateness(line, taken_for, now);
    free += late > 2 * service ? 2 * late : late;
  }
  return std::max(free, now + 2 * std::min(line.deviation, oldest.cost * service));
}

double EarliestFinish::finish(const Line& line, const View& taken_for, double cost, double now,
                              bool with_lateness) const {
  if (line.copies.empty()) return now + std::max(0.0, taken_for.idle + (cost - 1) * taken_for.service);
  return std::max(free_at(line, taken_for, now, with_lateness), now + taken_for.trip()) + cost * taken_for.service;
}

double EarliestFinish::patience(const Line& line, const View& taken_for) const {
  return std::max(least_patience, 4 * line.deviation + line.copies.front().cost * taken_for.service);
}

double EarliestFinish::overdue_from(const Line& line, const View& taken_for) const {
  return std::min(line.copies.front().hedge_at, oldest_finish(line, taken_for) + patience(line, taken_for));
}

bool EarliestFinish::is_suspect(WorkerId worker, base::Time now) const {
  const Line& line = lines_[worker];
  if (line.copies.empty()) return false;
  const View taken_for = view(line);
  return lateness(line, taken_for, seconds(now)) > patience(line, taken_for);
}

void EarliestFinish::mind_overdue(const Line& line) {
  if (!line.copies.empty()) overdue_from_ = std::min(overdue_from_, overdue_from(line, view(line)));
}

/// Batches in flight with which none waits at the endpoint.
unsigned EarliestFinish::light_window(const Line& line) const {
  return static_cast<unsigned>(std::clamp(0.75 * line.unloaded / std::max(view(line).service, 1e-9), 0.0, 1e6));
}

unsigned EarliestFinish::window(WorkerId worker) const {
  const Line& line = lines_[worker];
  auto window = static_cast<unsigned>(line.window);
  if (line.light_round > 0) window = std::min(window, light_window(line));
  return std::clamp(window, 1u, line.bound);
}

// ---- handing out

bool EarliestFinish::wants_probe(const Line& line, double now) const {
  if (!line.copies.empty()) return false;
  if (line.idle_samples == 0 || line.stalled) return true;
  return now - line.answered_at > std::max(line.probe_interval, 40 * median_idle_);
}

HandOutPolicy::Choice EarliestFinish::choose(const Workers& candidates, const Workers& participants, const Head& head,
                                             base::Time at) {
  const double now = seconds(at);
  const double unit = unit_ == 0 ? std::max(1.0, head.cost) : unit_;
  const double cost = head.cost / unit;
  probing_.reset();

  const bool all_suspect =
      std::all_of(candidates.begin(), candidates.end(), [&](WorkerId id) { return is_suspect(id, at); });
  std::optional<WorkerId> best;
  double best_finish = 0;
  double best_rank = std::numeric_limits<double>::max();
  for (const WorkerId id : candidates) {
    Line& line = lines_[id];
    if (!all_suspect && is_suspect(id, at)) {
      line.stalled = true;
      continue;
    }
    if (!probing_ && wants_probe(line, now)) {
      probing_ = id;
      continue;
    }
    const View taken_for = view(line);
    const double finished = finish(line, taken_for, cost, now, true);
    const bool waits = !line.copies.empty() && free_at(line, taken_for, now, true) > now + taken_for.trip();
    const double rank = waits ? now + wait_counts * (finished - now) : finished;
    if (rank < best_rank) {
      best = id;
      best_rank = rank;
      best_finish = finished;
    }
  }
  if (probing_) {
    probe_hedge_at_ = best ? now + time_for_probe * (best_finish - now) : never;
    return {probing_};
  }
  if (best && better_to_wait(*best, best_finish, participants, head, at)) {
    return {std::nullopt, std::max(at + soonest, time_at(now + (best_finish - now) / 4))};
  }
  return {best};
}

bool EarliestFinish::as_good(WorkerId other, WorkerId chosen, const Head& head, base::Time at) const {
  if (probing_ || is_suspect(other, at)) return false;
  const double now = seconds(at);
  const double cost = head.cost / (unit_ == 0 ? std::max(1.0, head.cost) : unit_);
  const auto takes = [&](WorkerId id) { return finish(lines_[id], view(lines_[id]), cost, now, true) - now; };
  return takes(other) <= equally_fast * takes(chosen);
}

/// Batches of so many events that the worker's limit lets it have until then.
double EarliestFinish::may_be_given(WorkerId worker, double until, double events, base::Time now) const {
  return limits_->until(time_at(until), worker, now) / std::max(1.0, events);
}

bool EarliestFinish::better_to_wait(WorkerId best, double finished, const Workers& participants, const Head& head,
                                    base::Time at) const {
  const double now = seconds(at);
  const double unit = unit_ == 0 ? std::max(1.0, head.cost) : unit_;
  const double cost = head.cost / unit;
  const double until = now + share_of_wait * (finished - now);
  double others = 0;    // what the other workers would have finished by then
  double capacity = 0;  // of those that answer sooner than this one would, a second
  unsigned faster = 0;
  const bool limited = limits_ && limits_->any();
  for (const WorkerId id : participants) {
    const Line& line = lines_[id];
    if (id == best || line.service_samples + line.idle_samples == 0 || is_suspect(id, at)) continue;
    const View taken_for = view(line);
    const double service = std::max(taken_for.service, 1e-9);
    double given = never;
    if (limited) {
      given = may_be_given(id, std::max(now, until - taken_for.idle), head.events, at);
      if (given == 0) continue;
    }
    if (taken_for.idle < finished - now) {
      capacity += limited ? std::min(1 / service, may_be_given(id, now + 1, head.events, at) * cost) : 1 / service;
      ++faster;
    }
    const double free = line.copies.empty() ? now : free_at(line, taken_for, now, true);
    double slots = std::floor((until - std::max(free, now + taken_for.trip())) / (cost * service));
    if (limited) slots = std::min(slots, given);
    if (slots > 0) others += cost * slots;
  }

  const Line& line = lines_[best];
  const View taken_for = view(line);
  if (!line.copies.empty() && taken_for.trip() < short_line * taken_for.service &&
      free_at(line, taken_for, now, true) - now - taken_for.trip() > in_time * taken_for.service) {
    // It is early enough to send it later, and another worker may be free before.
    others += faster;
  }
  if (others <= 0) return false;

  const double rate = arrived_ * std::exp(arrived_at_ - now) / (unit_ == 0 ? 1 : unit_);
  double gate = std::clamp(gate_slope * (1 - rate / std::max(capacity, 1e-9)), 0.0, 1.0);
  if (line.least_gap.known()) {
    const double on_line =
        std::max(0.0, (line.least_trip.value() - line.least_gap.value()) / std::max(taken_for.service, 1e-9));
    if (static_cast<double>(line.copies.size()) >= std::floor(filling(on_line) + 0.5)) gate = 1;
  }
  return head.queued / unit <= gate * others;
}

// ---- hedging

HandOutPolicy::Hedge EarliestFinish::hedge(const Workers& candidates, const MayHedge& may, base::Time at) {
  const double now = seconds(at);
  double look_again = never;
  const auto answer = [&] {
    return Hedge{0, std::nullopt, look_again == never ? base::never : std::max(at + soonest, time_at(look_again))};
  };
  if (now <= overdue_from_) {
    look_again = overdue_from_;
    return answer();
  }
  overdue_from_ = never;
  for (const Line& line : lines_) {
    if (line.copies.empty()) continue;
    const View taken_for = view(line);
    const double from = overdue_from(line, taken_for);
    overdue_from_ = std::min(overdue_from_, from);
    if (now <= from) {
      look_again = std::min(look_again, from);
      continue;
    }
    // It may take as long again as it is late by now, and then the work that stands before this batch.
    double left = lateness(line, taken_for, now);
    for (const Copy& copy : line.copies) {
      left = std::max(left, copy.cost * taken_for.service);
      std::optional<WorkerId> best;
      double best_finish = never;
      for (const WorkerId id : candidates) {
        const Line& other = lines_[id];
        if (other.service_samples + other.idle_samples == 0 || is_suspect(id, at) || !may(copy.attempt, id)) continue;
        const double finished = finish(other, view(other), copy.cost, now, true);
        if (finished < best_finish) best = id, best_finish = finished;
      }
      if (best && best_finish - now < left) return {copy.attempt, best, at};
      if (best) look_again = std::min(look_again, now + (best_finish - now - left));
      left += copy.cost * taken_for.service;
    }
  }
  return answer();
}

}  // namespace windlass::core
