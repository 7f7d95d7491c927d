#include "checker.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "violation.h"

namespace windlass::sim {
namespace {

std::string name(const Line& line, core::WorkerId id) {
  return fmt::format("worker {} (connection {})", id, line.connection);
}

}  // namespace

Checker::Checker(const core::Options& options, const std::vector<core::WorkerOptions>& workers, bool peers_report,
                 bool holds_back)
    : options_(options),
      peers_report_(peers_report),
      holds_back_(holds_back),
      works_(options_, {workers.front().wait_retry, workers.front().max_wait_retry, base::never}, deliveries_),
      lines_(workers.begin(), workers.end()) {
  for (const Line& line : lines_) {
    several_priorities_ |= line.priority != lines_.front().priority;
    rotates_ |= line.ttl > base::Duration::zero();
  }
  rotates_ |= several_priorities_;
  for (const core::WorkerOptions& worker : workers) limit(worker, {});
}

// ---- the publisher

std::error_code Checker::refusal(const NumberedSubmission& submission, std::uint64_t held_events) const {
  if (draining_ || closed_) return errc::closed;
  if (submission.empty()) return errc::no_events;
  if (submission.size() > options_.queue_events || submission.bytes() > options_.queue_bytes) return errc::too_large;
  if (held_events + submission.size() > options_.queue_events ||
      deliveries_.held_bytes() + submission.bytes() > options_.queue_bytes)
    return errc::queue_full;
  return {};
}

void Checker::offered(const NumberedSubmission& submission, std::error_code answer, base::Time now) {
  heard_ = true;
  const std::uint64_t held = deliveries_.held();
  const std::error_code expected = refusal(submission, held);
  const bool in_doubt = deliveries_.doubtful() > 0 && expected == errc::queue_full && !answer;
  if (answer != expected && !in_doubt)
    throw Violation("accepted or refused by the budgets",
                    fmt::format("'{}' instead of '{}'", answer.message(), expected.message()));
  if (answer) return deliveries_.refuse(submission.size());
  const std::uint32_t number = next_publish();
  deliveries_.accept(submission, options_.max_attempts == 0 || options_.guaranteed || submission.guaranteed);
  works_.offered(number, now);
}

void Checker::drain(base::Time deadline, base::Time now) {
  heard_ = true;
  draining_ = true;
  drain_deadline_ = std::min(drain_deadline_, deadline);
  if (all_settled() || drain_deadline_ <= now) close(now);
}

void Checker::close(base::Time now) {
  heard_ = true;
  if (closed_) return;
  closed_ = true;
  for (Line& line : lines_) {
    while (!line.flights.empty()) {
      const std::uint32_t flight = line.flights.front();
      land(line, flight, now);
      if (const std::vector<EventNumber> left = open_events(flights_[flight]); !left.empty())
        deliveries_.drop(left, errc::closed);
    }
    if (line.state != Line::State::connecting && line.state != Line::State::connected) continue;
    line.state = Line::State::closing;
    line.disconnect_due = true;
  }
  works_.close();
}

// ---- joining and leaving

void Checker::joined(core::WorkerId id, const core::WorkerOptions& options, base::Time now) {
  limit(options, now);
  enter(id, options);
}

void Checker::limit(const core::WorkerOptions& worker, base::Time now) {
  const auto known = allowances_.find(worker.endpoint);
  if (worker.rate_limit <= 0) {
    if (known != allowances_.end()) allowances_.erase(known);
  } else if (known == allowances_.end()) {
    allowances_.emplace(worker.endpoint, Allowance(worker.rate_limit));
  } else {
    known->second.change(worker.rate_limit, now);
  }
}

void Checker::enter(core::WorkerId id, const core::WorkerOptions& options) {
  heard_ = true;
  Line line(options);
  // Successors that are still to be named may have the ids before this one.
  std::size_t end = lines_.size();
  for (const Line& other : lines_) end += other.replace_due + other.stillborn;
  Line nobody(options);
  nobody.removed = nobody.leaving = nobody.left = true;
  if (id <= end && lines_.size() <= id) lines_.resize(id + 1, nobody);
  if (id > end || !lines_[id].left)
    throw Violation("a worker that joins has an id of its own", fmt::format("worker {}", id));
  line.connection = lines_[id].connection;
  lines_[id] = line;
  several_priorities_ |=
      std::any_of(lines_.begin(), lines_.end(), [&](const Line& other) { return other.priority != line.priority; });
  rotates_ |= several_priorities_ || line.ttl > base::Duration::zero();
}

void Checker::removed(core::WorkerId id, base::Time leave_by) {
  heard_ = true;
  if (closed_) return;
  for (Line& other : lines_)
    if (other.successor == id) return removed(id_of(other), leave_by);
  call_off_successor(lines_[id]);
  retire(lines_[id], leave_by);
}

std::vector<core::WorkerId> Checker::present() const {
  std::vector<core::WorkerId> present;
  for (const Line& line : lines_)
    if (!line.removed) present.push_back(id_of(line));
  return present;
}

void Checker::retire(Line& line, base::Time leave_by) {
  rotates_ = true;
  line.removed = line.leaving = true;
  line.leave_by = std::min(line.leave_by, leave_by);
  if (line.state == Line::State::idle) line.left_due = !line.left;
  if (line.state != Line::State::connecting) return;
  line.state = Line::State::closing;
  line.disconnect_due = true;
}

void Checker::call_off_successor(Line& line) {
  if (std::exchange(line.replace_due, false)) ++line.stillborn;
  if (const auto successor = std::exchange(line.successor, std::nullopt)) retire(lines_[*successor], base::never);
}

void Checker::take_back(Line& line, base::Time now) {
  while (!line.flights.empty()) {
    const Flight flight = flights_[line.flights.front()];
    std::vector<EventNumber> back = open_events(flight);
    land(line, line.flights.front(), now);
    if (!back.empty()) works_.take_back(flight.work, std::move(back), flight.acked > 0, now);
  }
}

// ---- inputs

Line* Checker::line_of(core::ConnectionId connection) {
  heard_ = true;
  if (connection.worker >= lines_.size()) return nullptr;
  Line& line = lines_[connection.worker];
  return line.connection == connection.number ? &line : nullptr;
}

void Checker::connected(core::ConnectionId connection, base::Time now) {
  Line* line = line_of(connection);
  if (closed_ || !line || line->state != Line::State::connecting) return;
  line->state = Line::State::connected;
  line->leaving = line->removed;
  line->was_of_use = false;
  line->connected_at = now;
  line->expires = line->ttl > base::Duration::zero() ? base::after(now, line->ttl) : base::never;
  for (Line& other : lines_) {
    if (other.successor != connection.worker) continue;
    other.successor.reset();
    retire(other, base::never);
  }
}

void Checker::lost(core::ConnectionId connection, std::error_code error, base::Time now) {
  Line* line = line_of(connection);
  if (closed_ || !line) return;
  fail(*line, !line->may_end(now) && at_fault(*line), true, error ? error : make_error_code(errc::connection_lost),
       now);
}

void Checker::disconnected(core::ConnectionId connection) {
  Line* line = line_of(connection);
  if (!line || line->state != Line::State::closing) return;
  line->state = Line::State::idle;
  line->left_due = line->removed && !closed_;
}

void Checker::alive(core::ConnectionId connection, base::Time now) {
  if (Line* line = line_of(connection)) line->sign_of_life(options_, now);
}

void Checker::progress(std::uint32_t number, std::uint32_t count, base::Time now) {
  heard_ = true;
  Flight& flight = flights_[number];
  if (!flight.live) return;
  Line& line = lines_[flight.worker];
  const std::span<const EventNumber> events = events_of(flight);
  count = std::min(count, static_cast<std::uint32_t>(events.size()));
  if (count <= flight.acked) return line.sign_of_life(options_, now);
  line.progressed(number, options_, now);
  works_.served(line.endpoint);
  acked(events.subspan(flight.acked, count - flight.acked));
  flight.acked = count;
}

void Checker::acked(std::span<const EventNumber> events) {
  for (const EventNumber event : events) {
    if (peers_report_ && !deliveries_.event(event).taken)
      throw Violation("acked means that an endpoint acked every event", fmt::format("no peer took event #{}", event));
    if (is_open(event)) {
      deliveries_.ack({&event, 1});
    } else {
      deliveries_.count_duplicate();
    }
  }
}

std::span<const EventNumber> Checker::events_of(const Flight& flight) const {
  return std::span(works_.work(flight.work).events).subspan(flight.first);
}

void Checker::land(Line& line, std::uint32_t number, base::Time now) {
  Flight& flight = flights_[number];
  flight.live = false;
  line.ended(number, options_, now);
  Work& work = works_.work(flight.work);
  if (--work.copies == 0) work.state = Work::State::over;
}

std::vector<EventNumber> Checker::open_events(const Flight& flight) const {
  std::vector<EventNumber> open;
  for (const EventNumber event : events_of(flight).subspan(flight.acked))
    if (is_open(event)) open.push_back(event);
  return open;
}

void Checker::result(std::uint32_t number, const PublishResult& result, base::Time now) {
  heard_ = true;
  const Flight flight = flights_[number];
  if (!flight.live) return;
  Line& line = lines_[flight.worker];
  const bool blamed = line.failing() || !works_.may_be_bad(works_.work(flight.work), line.endpoint);
  const unsigned sends = works_.work(flight.work).sends;
  const std::span<const EventNumber> events = events_of(flight);
  land(line, number, now);
  line.sign_of_life(options_, now);

  // Event by event: what stands in `rest` or from `rest_from` on was not acknowledged.
  std::vector<EventNumber> back;
  std::vector<std::error_code> of_each;  // what each of those was answered for itself, where that tells against it
  bool answered = false;
  bool some_acked = false;
  bool some_back = false;
  bool costs_attempt = false;
  bool throttled = false;
  std::error_code last_why;
  auto listed = result.rest.begin();
  for (std::uint32_t index = flight.acked; index < events.size(); ++index) {
    const EventNumber event = events[index];
    std::error_code why;
    while (listed != result.rest.end() && listed->index < index) ++listed;
    if (index >= result.rest_from) {
      why = result.error;
    } else if (listed != result.rest.end() && listed->index == index) {
      why = listed->why;
    } else {
      acked({&event, 1});
      answered = some_acked = true;
      continue;
    }
    if (why && classify(why) == ErrorClass::permanent) {
      if (is_open(event))
        deliveries_.give_up(event, {errc::rejected, why, sends, {line.endpoint}}, options_.dead_letter);
      answered = true;
    } else {
      costs_attempt |= static_cast<bool>(why);
      throttled |= why && classify(why) == ErrorClass::throttled;
      if (why) last_why = why;
      some_back = true;
      if (!is_open(event)) continue;
      back.push_back(event);
      if (index < result.rest_from && why && classify(why) == ErrorClass::retryable) of_each.push_back(why);
    }
  }
  if (result.error || of_each.size() != back.size()) of_each.clear();

  const ErrorClass what = result.error ? classify(result.error) : ErrorClass::permanent;
  const bool endpoint_failed = what != ErrorClass::permanent;
  const bool progressed = flight.acked > 0 || answered;
  if (answered || (!some_back && !endpoint_failed)) line.progressed(number, options_, now);
  if (some_acked) works_.served(line.endpoint);
  costs_attempt |= endpoint_failed;
  const bool suspicious = costs_attempt && !throttled;
  const bool left_over = suspicious && some_acked && !endpoint_failed;
  if (!back.empty())
    works_.give_back(
        flight.work, std::move(back),
        {flight.worker, line.endpoint, progressed, costs_attempt, suspicious, left_over, last_why, std::move(of_each)},
        now);
  if (endpoint_failed && what == ErrorClass::connection_fatal) {
    fail(line, blamed, false, result.error, now);
  } else if (endpoint_failed || (some_back && !progressed)) {
    rest(line, result, blamed, now);
  }
}

void Checker::rest(Line& line, const PublishResult& result, bool blamed, base::Time now) {
  Moment until = blamed ? line.patience.failed(now) : Moment::at(now);
  if (result.error && classify(result.error) == ErrorClass::throttled && result.retry_after) {
    const base::Time asked = now + std::clamp(*result.retry_after, base::Duration::zero(), line.max_wait_retry);
    until = {std::max(until.earliest, asked), std::max(until.latest, asked)};
  }
  line.rest(until);
}

bool Checker::at_fault(const Line& line) const {
  if (line.failing() || line.flights.empty()) return true;
  return !works_.may_be_bad(works_.work(flights_[line.flights.front()].work), line.endpoint);
}

void Checker::fail(Line& line, bool blamed, bool suspects_oldest, std::error_code error, base::Time now) {
  if (line.state != Line::State::connecting && line.state != Line::State::connected) return;
  line.reconnect = blamed ? line.patience.failed(now) : Moment::at(now);
  call_off_successor(line);
  while (!line.flights.empty()) {
    const Flight flight = flights_[line.flights.front()];
    std::vector<EventNumber> back = open_events(flight);
    land(line, line.flights.front(), now);
    const Failure failure{flight.worker, line.endpoint, flight.acked > 0, suspects_oldest || blamed, suspects_oldest,
                          false,         error};
    suspects_oldest = false;
    if (!back.empty()) works_.give_back(flight.work, std::move(back), failure, now);
  }
  line.state = Line::State::closing;
  line.disconnect_due = true;
}

void Checker::timeout(base::Time now) {
  heard_ = true;
  if (closed_) return;
  if (drain_deadline_ <= now) return close(now);
  for (Line& line : lines_) {
    if (line.must_leave(now)) {
      take_back(line, now);
    } else if (line.overdue(now)) {
      const bool silent = line.state == Line::State::connecting || line.silence_deadline <= now;
      fail(line, at_fault(line), true, silent ? errc::timeout : errc::no_progress, now);
    } else if (line.too_old(now)) {
      const bool overlaps = line.overlaps && !line.failing();
      (overlaps ? line.replace_due : line.leaving) = true;
    }
  }
  works_.expire(now);
}

void Checker::polled(base::Time now) {
  if (!std::exchange(heard_, false) || closed_) return;
  if (draining_ && all_settled()) return close(now);
  if (!rotates_) return;
  for (Line& line : lines_) {
    const bool is_wanted = wanted(line);
    line.was_wanted |= is_wanted;
    if (line.state != Line::State::connected) continue;
    line.leaving |= !is_wanted;
    if (!line.leaving) continue;
    call_off_successor(line);
    if (!line.flights.empty()) continue;
    line.state = Line::State::closing;
    line.disconnect_due = true;
    line.reconnect = Moment::at(now);
  }
}

bool Checker::wanted(const Line& line) const {
  if (line.removed) return false;
  return !several_priorities_ || std::none_of(lines_.begin(), lines_.end(), [&](const Line& other) {
    return other.priority < line.priority && !other.failing() && !other.removed;
  });
}

const Allowance* Checker::allowance_of(const Line& line) const {
  if (allowances_.empty()) return nullptr;
  const auto known = allowances_.find(line.endpoint);
  return known == allowances_.end() ? nullptr : &known->second;
}

bool Checker::may_be_given(const Line& line, base::Time now) const {
  const Allowance* allowance = allowance_of(line);
  return !allowance || !allowance->used_up(now);
}

bool Checker::surely_draws(const Line& line, base::Time now) const {
  return line.surely_participates(now) && may_be_given(line, now) &&
         (!several_priorities_ || std::none_of(lines_.begin(), lines_.end(), [&](const Line& other) {
           return other.priority < line.priority && other.may_participate(now) && !other.failing();
         }));
}

bool Checker::another_draws(const Line& line, base::Time now, bool surely, bool of_another_endpoint) const {
  return std::any_of(lines_.begin(), lines_.end(), [&](const Line& other) {
    return (of_another_endpoint ? other.endpoint != line.endpoint : &other != &line) &&
           (surely ? surely_draws(other, now) : other.may_participate(now));
  });
}

// ---- actions

EventNumber Checker::settled(const core::Settled& settled) {
  if (silent_) throw Violation("no signal after close", fmt::format("{} events were signalled", settled.count));
  if (deliveries_.doubtful() > 0) {
    // What hears of its end was dropped, beyond doubt.
    const auto& submission = static_cast<const NumberedSubmission&>(*settled.submission);
    if (submission.number < next_publish()) works_.dropped(submission.number, settled.first, settled.count);
  }
  return deliveries_.settled(settled);
}

void Checker::dead_letter(const core::DeadLetter& letter) {
  deliveries_.dead_letter(letter);
}

void Checker::disconnect(const core::Disconnect& action) {
  Line* line = line_of(action.connection);
  if (!line || !line->disconnect_due)
    throw Violation("a connection is closed for a reason",
                    fmt::format("worker {} connection {}", action.connection.worker, action.connection.number));
  line->disconnect_due = false;
}

void Checker::connect(const core::Connect& action, base::Time now) {
  const core::WorkerId id = action.connection.worker;
  if (id >= lines_.size()) throw Violation("only workers connect", fmt::format("worker {}", id));
  Line& line = lines_[id];
  if (action.connection.number <= line.connection)
    throw Violation("a connection has a number of its own", name(line, id));
  // It may have been removed after the balancer had decided to connect: then the connection ends at once.
  const bool crossed = closed_ || line.left_due;
  if (line.removed && !crossed) throw Violation("a worker that was removed connects no more", name(line, id));
  line.left_due = false;
  if (line.state != Line::State::idle) throw Violation("one connection a worker", name(line, id) + " has two");
  if (line.reconnect.surely_ahead(now))
    throw Violation("a worker that failed waits for its backoff", name(line, id) + " connects too early");
  if (several_priorities_ && !line.was_wanted && !crossed)
    throw Violation("a worker connects only while no better one is well", name(line, id));
  line.connection = action.connection.number;
  line.state = crossed ? Line::State::closing : Line::State::connecting;
  line.disconnect_due = crossed;
  line.connect_deadline = base::after(now, options_.timeout);
}

void Checker::replace(const core::Replace& action) {
  if (action.worker >= lines_.size()) throw Violation("only workers are replaced", fmt::format("{}", action.worker));
  const Line old = lines_[action.worker];
  if (!old.replace_due && old.stillborn == 0)
    throw Violation("a connection is replaced when it is too old", name(old, action.worker));
  const auto successor = static_cast<core::WorkerId>(action.successor);
  core::WorkerOptions options;
  options.endpoint = old.endpoint;
  options.window = old.window;
  options.priority = old.priority;
  options.wait_retry = old.wait_retry;
  options.max_wait_retry = old.max_wait_retry;
  options.ttl = old.ttl;
  options.overlaps = old.overlaps;
  enter(successor, options);
  if (old.stillborn > 0) {
    --lines_[action.worker].stillborn;
    return retire(lines_[successor], base::never);
  }
  lines_[action.worker].replace_due = false;
  lines_[action.worker].successor = successor;
}

void Checker::left(const core::Left& action) {
  if (action.worker >= lines_.size() || !lines_[action.worker].left_due)
    throw Violation("who left was removed, and has no connection", fmt::format("worker {}", action.worker));
  lines_[action.worker].left_due = false;
  lines_[action.worker].left = true;
}

void Checker::send(const core::Send& action, base::Time now) {
  if (closed_) throw Violation("nothing is sent after close", fmt::format("to worker {}", action.worker));
  if (action.worker >= lines_.size()) throw Violation("only workers are sent to", fmt::format("{}", action.worker));
  Line& line = lines_[action.worker];
  const std::string who = name(line, action.worker);
  if (line.state != Line::State::connected) throw Violation("only a worker with a connection draws", who);
  if (line.removed) throw Violation("a worker that was removed draws nothing", who);
  if (line.leaving) throw Violation("a connection that is to be replaced draws nothing", who);
  if (line.rested.surely_ahead(now)) throw Violation("a worker that failed waits for its backoff", who + " draws");
  if (line.room() == 0)
    throw Violation("in flight never exceeds the window", fmt::format("{} has {} in flight{}", who, line.flights.size(),
                                                                      line.failing() ? ", and is failing" : ""));
  if (is_endangered(line)) throw Violation("nothing is sent behind a batch under suspicion", who);
  if (several_priorities_) {
    for (const Line& other : lines_)
      if (other.priority < line.priority && !other.failing() && other.surely_participates(now))
        throw Violation("a worker draws only while no better one does", who);
  }
  if (!ids_.insert(action.attempt).second) throw Violation("an attempt has an id of its own", who);
  const std::uint32_t work = works_.sent(action.batch, line.endpoint, now);
  if (works_.work(work).failed_last_at(action.worker, line.endpoint) && another_draws(line, now, true))
    throw Violation("failed work goes elsewhere while another worker participates", who);
  if (works_.work(work).failed_last_at(line.endpoint) && another_draws(line, now, true, true))
    throw Violation("failed work goes elsewhere while another endpoint participates", who);
  const Work& sent = works_.work(work);
  if (sent.copies == 2) expect_well_hedged(line, work, who);
  spend(line, sent, action.batch.size(), now);
  line.sent(next_flight(), options_, now);
  const auto first = static_cast<std::uint32_t>(sent.events.size() - action.batch.size());
  flights_.push_back({action.attempt, action.worker, line.connection, work, first, 0, true});
}

void Checker::spend(const Line& line, const Work& sent, std::size_t events, base::Time now) {
  const auto limited = allowances_.find(line.endpoint);
  if (limited == allowances_.end()) return;
  Allowance& allowance = limited->second;
  if (!allowance.keeps_the_law(now))
    throw Violation("an endpoint is given no more than its limit", name(line, id_of(line)) + " draws");
  const bool is_new = sent.sends == 1 && sent.copies == 1;
  if (is_new && double(events) > allowance.burst())
    throw Violation("new work is cut to what a limit lets an endpoint have at once",
                    fmt::format("{} events for {}", events, name(line, id_of(line))));
  allowance.spend(events, now);
  works_.paid_until(allowance.again());
}

void Checker::expect_well_hedged(const Line& line, std::uint32_t work, const std::string& who) const {
  for (const std::uint32_t flight : line.flights)
    if (flights_[flight].work == work) throw Violation("two copies travel on two connections", who + " has both");
  if (line.failing()) throw Violation("a second copy goes to a worker that is well", who);
  const double budget = core::HedgeBudget::at_first + options_.max_duplicates * double(deliveries_.acked());
  if (double(deliveries_.hedged()) > budget + 1e-3)
    throw Violation("second copies keep their budget",
                    fmt::format("{} events, with {} acknowledged", deliveries_.hedged(), deliveries_.acked()));
}

// ---- the state between steps

void Checker::compare(const core::Balancer& balancer) {
  works_.resolve(balancer.ledger());
  deliveries_.compare(balancer.ledger());
  const std::uint64_t held = deliveries_.queued() + deliveries_.flying();
  if (deliveries_.doubtful() > 0) return;
  if (balancer.held_events() != held || balancer.held_bytes() != deliveries_.held_bytes())
    throw Violation("what is held counts against the budgets",
                    fmt::format("{} events and {} bytes instead of {} and {}", balancer.held_events(),
                                balancer.held_bytes(), held, deliveries_.held_bytes()));
  if (held > options_.queue_events || deliveries_.held_bytes() > options_.queue_bytes)
    throw Violation("queues keep their limits", fmt::format("{} events", held));
}

void Checker::idle(const core::Balancer& balancer, base::Time now) {
  polled(now);
  if (++idles_ % 1024 == 0) expect_figures(balancer.statistics(now));  // now and then: it is slow
  if (balancer.closed() != closed_) throw Violation("it closes when it is time to", closed_ ? "it did not" : "it did");
  deliveries_.expect_all_signalled();
  const base::Time next_timeout = balancer.next_timeout();
  for (Line& line : lines_) {
    if (line.disconnect_due) throw Violation("what is over is closed", name(line, id_of(line)));
    if (line.left_due) throw Violation("who was removed leaves", name(line, id_of(line)));
    if (line.replace_due || line.stillborn > 0) throw Violation("what is too old is replaced", name(line, id_of(line)));
    line.was_wanted = false;
  }
  if (closed_) {
    silent_ = true;
    if (next_timeout != base::never) throw Violation("a closed balancer waits for nothing", "it has a deadline");
    return;
  }
  expect_conserved_work(now);
  if (next_timeout > now) expect_deadlines(next_timeout, now);
}

void Checker::expect_conserved_work(base::Time now) const {
  if (!works_.work_waits()) return;
  const auto busy = [&](const Line& line) { return !line.flights.empty() || !may_be_given(line, now); };
  if (holds_back_ && std::any_of(lines_.begin(), lines_.end(), busy)) return;
  for (const Line& line : lines_) {
    if (line.room() == 0 || is_endangered(line) || !surely_draws(line, now)) continue;
    if (works_.new_work()) throw Violation("nobody idles beside a queue", name(line, id_of(line)));
    for (const std::uint32_t number : works_.waiting()) {
      const Work& work = works_.work(number);
      if (work.state != Work::State::waiting || !work.ready.surely_past(now)) continue;
      if (work.failed_last_at(id_of(line), line.endpoint) && another_draws(line, now, false)) continue;
      if (work.failed_last_at(line.endpoint) && another_draws(line, now, false, true)) continue;
      throw Violation("nobody idles beside a queue",
                      fmt::format("{} while event #{} waits", name(line, id_of(line)), work.events.front()));
    }
  }
}

void Checker::expect_deadlines(base::Time next_timeout, base::Time now) const {
  const auto late = [&](const Line& line, const char* what) {
    return Violation("no deadline is slept over", name(line, id_of(line)) + ": " + what);
  };
  const bool work_waits = works_.work_waits();
  for (const Line& line : lines_) {
    if (line.overdue(now)) throw late(line, "it is overdue");
    if (line.next_deadline() < next_timeout) throw late(line, "its deadline comes earlier");
    // One that is not wanted may be past its backoff already, and waits for nothing.
    if (line.state == Line::State::idle && wanted(line) && line.reconnect.latest < next_timeout)
      throw Violation("workers that do not participate try to reconnect", name(line, id_of(line)));
    if (const Allowance* allowance = allowance_of(line); work_waits && allowance && line.surely_participates(now) &&
                                                         allowance->used_up(now) && allowance->again() < next_timeout)
      throw late(line, "it may be given something earlier");
    if (work_waits && line.state == Line::State::connected && line.rested.surely_ahead(now) &&
        line.rested.latest < next_timeout)
      throw late(line, "its rest ends earlier");
  }
  if (drain_deadline_ < next_timeout) throw Violation("no deadline is slept over", "that of the drain");
  if (!works_.nothing_due_before(next_timeout, now))
    throw Violation("no deadline is slept over", "that of work that waits");
}

bool Checker::at_rest(base::Time well_since) const {
  if (deliveries_.held() != deliveries_.hopeless()) return false;
  if (closed_) return true;
  // With a short time to live some successor is always connecting: the one whose place it is to take stands for it.
  std::vector<bool> is_successor(lines_.size());
  for (const Line& line : lines_)
    if (line.successor) is_successor[*line.successor] = true;
  return std::all_of(lines_.begin(), lines_.end(), [&](const Line& line) {
    return line.removed || line.state == Line::State::connected || line.connected_at >= well_since ||
           is_successor[id_of(line)] || !wanted(line);
  });
}

void Checker::expect_rest(const core::Balancer& balancer, base::Time well_since, base::Time now) const {
  if (deliveries_.held() != deliveries_.hopeless())
    throw Violation(
        "once faults end, everything accepted is signalled in time",
        fmt::format("{} events are queued and {} in flight, {} of them without hope",
                    deliveries_.queued() + deliveries_.doubtful(), deliveries_.flying(), deliveries_.hopeless()));
  if (!at_rest(well_since)) throw Violation("once faults end, every worker participates again", "some do not");
  expect_figures(balancer.statistics(now));
}

void Checker::expect_figures(const Statistics& statistics) const {
  std::uint64_t acked = 0;
  std::uint64_t in_flight = 0;
  for (const WorkerStatistics& worker : statistics.workers) {
    acked += worker.acked;
    in_flight += worker.in_flight;
  }
  std::uint64_t in_copies = 0;
  for (const Line& line : lines_)
    for (const std::uint32_t flight : line.flights)
      in_copies += events_of(flights_[flight]).size() - flights_[flight].acked;
  if (acked != deliveries_.acked() || in_flight != in_copies)
    throw Violation("the workers' figures add up", fmt::format("{} acked and {} in flight instead of {} and {}", acked,
                                                               in_flight, deliveries_.acked(), in_copies));
}

}  // namespace windlass::sim
