#include "world.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <variant>

#include "core/earliest_finish.h"
#include "endpoints.h"
#include "events.h"
#include "hasty.h"
#include "violation.h"
#include "wires.h"

namespace windlass::sim {
namespace {

double some_rate(const Scenario& scenario, base::Random& random) {
  return scenario.rate * (0.1 + 0.9 * random.unit());
}

core::WorkerOptions make_worker(const Scenario& scenario, std::uint32_t host, base::Random& random) {
  core::WorkerOptions worker;
  worker.endpoint = fmt::format("endpoint {}", host);
  worker.wait_retry = scenario.time(&Scenario::wait_retry);
  worker.max_wait_retry = worker.wait_retry * static_cast<int>(scenario.wait_growth);
  worker.priority = static_cast<unsigned>(random.below(scenario.count(&Scenario::priorities)));
  worker.window = static_cast<unsigned>(1 + random.below(scenario.count(&Scenario::window)));
  const bool lasts = random.chance(0.3);
  if (!lasts) worker.ttl = scenario.time(&Scenario::ttl);
  if (worker.ttl > base::Duration::zero()) worker.overlaps = random.chance(scenario.overlap);
  if (scenario.weights > 1) worker.weight = static_cast<unsigned>(1 + random.below(scenario.count(&Scenario::weights)));
  if (scenario.limited > 0) {
    base::Random random_of_host(scenario.seed ^ (0x11417u + host));
    if (random_of_host.chance(scenario.limited)) worker.rate_limit = some_rate(scenario, random_of_host);
  }
  return worker;
}

std::vector<core::WorkerOptions> make_workers(const Scenario& scenario) {
  base::Random random(scenario.seed ^ 0x3013u);
  std::vector<core::WorkerOptions> workers(scenario.count(&Scenario::workers));
  for (std::uint32_t worker = 0; worker < workers.size(); ++worker)
    workers[worker] = make_worker(scenario, worker % scenario.endpoints(), random);
  return workers;
}

std::unique_ptr<core::HandOutPolicy> make_policy(const Scenario& scenario,
                                                 const std::vector<core::WorkerOptions>& workers) {
  std::vector<unsigned> bounds;
  for (const core::WorkerOptions& worker : workers) bounds.push_back(worker.window);
  if (scenario.window_adapts > 0) return std::make_unique<core::EarliestFinish>(bounds);
  if (scenario.max_duplicates > 0) return std::make_unique<Hasty>(std::move(bounds), scenario.seed);
  return core::fixed_windows(std::move(bounds));
}

std::unique_ptr<Network> make_network(Stage& stage, Hosts& hosts, Inputs& inputs) {
  if (stage.scenario.wire > 0) return std::make_unique<Wires>(stage, hosts, inputs);
  return std::make_unique<Endpoints>(stage, hosts, inputs);
}

}  // namespace

World::World(const Scenario& scenario, std::FILE* trace)
    : scenario_(scenario),
      stage_(scenario_, trace),
      workers_(make_workers(scenario_)),
      balancer_(scenario_.options(), workers_, make_policy(scenario_, workers_), scenario_.seed, stage_.now),
      checker_(scenario_.options(), workers_, scenario_.wire > 0, scenario_.window_adapts > 0),
      hosts_(stage_),
      network_(make_network(stage_, hosts_, *this)),
      left_to_publish_(scenario_.count(&Scenario::publishes)) {}

// ---- the course of a run

void World::schedule() {
  const base::Duration faulty = scenario_.time(&Scenario::faulty);
  stage_.later(faulty, kind::heal);
  for (std::uint32_t publisher = 0; publisher < scenario_.count(&Scenario::publishers); ++publisher)
    publish_later(publisher);
  for (std::uint32_t join = 0; join < scenario_.count(&Scenario::joins); ++join)
    stage_.later(stage_.up_to(faulty), kind::join);
  for (std::uint32_t leave = 0; leave < scenario_.count(&Scenario::leaves); ++leave)
    stage_.later(stage_.up_to(faulty), kind::leave);
  switch (scenario_.count(&Scenario::ending)) {
    case 1:
      stage_.later(faulty + stage_.up_to(std::chrono::seconds(1)), kind::drain);
      break;
    case 2:
      stage_.later(stage_.up_to(faulty), kind::close);
      break;
    case 3:
      stage_.later(stage_.up_to(faulty), kind::drain);
      break;
  }
}

Report World::run() {
  schedule();
  poll_all();
  // Faults, and then the time in which everything must come to rest.
  const auto at_rest = [&] {
    return stage_.healed && (drained_ || scenario_.ending != 1) && checker_.at_rest(well_since_);
  };
  while (!at_rest() && step(rest_deadline_)) {
  }
  checker_.expect_rest(balancer_, well_since_, stage_.now);
  // After close, whatever is still on its way changes nothing.
  if (!checker_.is_closed()) close();
  while (step(base::never)) {
  }
  return {stage_.trace.steps(), stage_.trace.hash(), stage_.now.time_since_epoch(), balancer_.ledger().acked};
}

bool World::step(base::Time until) {
  const base::Time timeout = balancer_.next_timeout();
  const base::Time next = std::min(stage_.agenda.next(), timeout);
  if (next == base::never || next > until) return false;
  base::Time now = std::max(stage_.now, next);
  if (stage_.fault(&Scenario::jump)) {
    const base::Duration by = stage_.up_to(2 * scenario_.time(&Scenario::timeout));
    now += by;
    stage_.trace.add(
        {.at = now, .kind = Step::Kind::jump, .x = static_cast<std::uint32_t>(by / std::chrono::milliseconds(1))});
  }
  if (now != stage_.now) actions_in_a_row_ = 0;
  stage_.now = now;
  const bool something_happens = stage_.agenda.next() <= now;
  if (timeout <= now && (!something_happens || stage_.random.chance(0.5))) {
    handle_timeout();
  } else {
    happen(stage_.agenda.take());
  }
  poll_all();
  return true;
}

void World::happen(const Happening& what) {
  switch (what.kind) {
    case kind::publish:
      if (stage_.healed) return;
      offer();
      return publish_later(what.who);
    case kind::heal:
      return heal();
    case kind::drain:
      return drain();
    case kind::close:
      return close();
    case kind::join:
      return join();
    case kind::leave:
      return leave();
    case kind::mode:
      if (hosts_.change(what.who))
        for (core::WorkerId worker = 0; worker < checker_.ids(); ++worker)
          if (hosts_.place(worker) == what.who) network_->went_down(worker);
      return;
    default:
      return network_->happened(what);
  }
}

void World::heal() {
  stage_.healed = true;
  well_since_ = stage_.now;
  hosts_.heal();
  rest_deadline_ = rest_deadline();
  stage_.trace.add({.at = stage_.now, .kind = Step::Kind::heal});
  if (checker_.present().empty()) join();  // somebody must be there to send what waits
}

base::Time World::rest_deadline() const {
  // What hangs is noticed by its deadlines, twice over: a late failure of before may be met by one more hanging
  // connect. Then every backoff, a slow close, and all that waits, one batch an event, one after another.
  const core::Options options = scenario_.options();
  base::Duration waits = 2 * (options.timeout + options.progress_timeout) + 4 * workers_.front().max_wait_retry;
  base::Duration one = 8 * scenario_.time(&Scenario::latency) + 2 * scenario_.time(&Scenario::service);
  auto events = static_cast<std::int64_t>(balancer_.held_events());
  if (scenario_.poison > 0 && scenario_.poisoning > 0) {
    // What travels with events that spoil their batch is through when that has been halved to the last, two sends and
    // two waits each time, while the events that nobody takes are sent again and again.
    constexpr int halvings = 12;
    waits += 2 * halvings * workers_.front().max_wait_retry;
    events *= 2 * halvings;
    one += workers_.front().max_wait_retry;  // a worker that has served nothing yet is blamed, and rests
  }
  // An endpoint may owe for its last batch, and what is held goes out at the slowest rate, twice where it is hedged.
  if (scenario_.limited > 0)
    one += (scenario_.max_duplicates > 0 ? 2 : 1) * base::Duration(std::int64_t(1e10 / scenario_.rate));
  if (scenario_.limited > 0) events += scenario_.count(&Scenario::bulk_events);
  return stage_.now + waits + std::chrono::seconds(5) + one * (events + 10);
}

void World::publish_later(std::uint32_t publisher) {
  if (left_to_publish_ == 0) return;
  --left_to_publish_;
  const base::Duration mean = scenario_.time(&Scenario::faulty) * static_cast<std::int64_t>(scenario_.publishers) /
                              static_cast<std::int64_t>(std::max(1.0, scenario_.publishes));
  // Bursts: every other publish follows at once.
  stage_.later(stage_.random.chance(0.5) ? base::Duration(0) : stage_.up_to(4 * mean), kind::publish, publisher);
}

// ---- commands

void World::offer() {
  auto submission = std::make_shared<NumberedSubmission>();
  const bool empty = stage_.fault(&Scenario::empty);
  const std::uint64_t count = empty ? 0 : 1 + stage_.random.below(scenario_.count(&Scenario::events));
  const EventNumber first = checker_.next_event();
  for (std::uint32_t index = 0; index < count; ++index) {
    const std::size_t size = 4 + stage_.random.below(static_cast<std::uint64_t>(scenario_.event_bytes) - 3);
    write_event(*submission, first + index, size, scenario_.wire > 0);
  }
  submission->number = checker_.next_publish();
  submission->guaranteed = stage_.random.chance(scenario_.urgent);
  submission->signalling = stage_.random.chance(scenario_.silent) ? core::Signalling::none
                           : stage_.random.chance(scenario_.each) ? core::Signalling::each
                                                                  : core::Signalling::all;
  const std::error_code answer = balancer_.offer(submission, stage_.now);
  stage_.trace.add({.at = stage_.now,
                    .kind = Step::Kind::offer,
                    .x = static_cast<std::uint32_t>(count),
                    .y = first,
                    .error = answer});
  checker_.offered(*submission, answer, stage_.now);
  for (std::uint32_t index = 0; !answer && index < count; ++index)
    if (spoils(scenario_, first + index)) checker_.give_no_hope(first + index);
  checker_.compare(balancer_);
}

void World::drain() {
  const bool without_end = stage_.random.chance(0.3);
  const base::Duration within = stage_.up_to(2 * scenario_.time(&Scenario::timeout));
  const base::Time deadline = without_end ? base::never : stage_.now + within;
  stage_.trace.add({.at = stage_.now,
                    .kind = Step::Kind::drain,
                    .x = without_end ? ~0u : static_cast<std::uint32_t>(within / std::chrono::milliseconds(1))});
  balancer_.drain(deadline, stage_.now);
  checker_.drain(deadline, stage_.now);
  drained_ = true;
  checker_.compare(balancer_);
}

void World::close() {
  stage_.trace.add({.at = stage_.now, .kind = Step::Kind::close});
  balancer_.close(stage_.now);
  checker_.close(stage_.now);
  checker_.compare(balancer_);
}

void World::join() {
  base::Random random(scenario_.seed ^ (0x10adu + joined_++));
  const auto host = static_cast<std::uint32_t>(random.below(hosts_.count()));
  core::WorkerOptions worker = make_worker(scenario_, host, random);
  if (scenario_.limited > 0 && random.chance(0.5))
    worker.rate_limit = random.chance(0.3) ? 0 : some_rate(scenario_, random);  // it is another one from now on
  const core::WorkerId id = balancer_.add_worker(worker, stage_.now);
  hosts_.join(id, host);
  stage_.trace.add({stage_.now, Step::Kind::join, id});
  checker_.joined(id, worker, stage_.now);
  checker_.compare(balancer_);
}

void World::leave() {
  const std::vector<core::WorkerId> present = checker_.present();
  if (present.empty() || stage_.healed) return;
  const core::WorkerId id = present[stage_.random.below(present.size())];
  const bool at_once = stage_.random.chance(0.2);
  const base::Duration within = at_once ? base::Duration(0) : stage_.up_to(2 * scenario_.time(&Scenario::timeout));
  const base::Time leave_by = stage_.random.chance(0.3) ? base::never : stage_.now + within;
  stage_.trace.add(
      {.at = stage_.now,
       .kind = Step::Kind::remove,
       .worker = id,
       .x = leave_by == base::never ? ~0u : static_cast<std::uint32_t>(within / std::chrono::milliseconds(1))});
  balancer_.remove_worker(id, leave_by, stage_.now);
  checker_.removed(id, leave_by);
  checker_.compare(balancer_);
}

// ---- inputs

void World::handle_timeout() {
  timeouts_in_a_row_ = last_timeout_ == stage_.now ? timeouts_in_a_row_ + 1 : 0;
  last_timeout_ = stage_.now;
  if (timeouts_in_a_row_ > 100) throw Violation("nothing spins", "a deadline is due again and again");
  stage_.trace.add({.at = stage_.now, .kind = Step::Kind::timeout});
  balancer_.handle_timeout(stage_.now);
  checker_.timeout(stage_.now);
  checker_.compare(balancer_);
}

void World::connected(core::ConnectionId connection) {
  stage_.trace.add({stage_.now, Step::Kind::connected, connection.worker, connection.number});
  balancer_.on_connected(connection, stage_.now);
  checker_.connected(connection, stage_.now);
  checker_.compare(balancer_);
}

void World::lost(core::ConnectionId connection, std::error_code error) {
  stage_.trace.add({stage_.now, Step::Kind::lost, connection.worker, connection.number, 0, 0, 0, error});
  balancer_.on_lost(connection, error, stage_.now);
  checker_.lost(connection, error, stage_.now);
  checker_.compare(balancer_);
}

void World::disconnected(core::ConnectionId connection) {
  stage_.trace.add({stage_.now, Step::Kind::disconnected, connection.worker, connection.number});
  balancer_.on_disconnected(connection, stage_.now);
  checker_.disconnected(connection);
  checker_.compare(balancer_);
}

void World::alive(core::ConnectionId connection) {
  stage_.trace.add({stage_.now, Step::Kind::alive, connection.worker, connection.number});
  balancer_.on_alive(connection, stage_.now);
  checker_.alive(connection, stage_.now);
  checker_.compare(balancer_);
}

void World::progress(std::uint32_t attempt, std::uint32_t count) {
  const Flight& flight = checker_.flight(attempt);
  stage_.trace.add({stage_.now, Step::Kind::progress, flight.worker, flight.connection, attempt, count});
  balancer_.on_progress(flight.id, count, stage_.now);
  checker_.progress(attempt, count, stage_.now);
  checker_.compare(balancer_);
}

void World::result(std::uint32_t attempt, const PublishResult& result) {
  const Flight& flight = checker_.flight(attempt);
  stage_.trace.add({stage_.now, Step::Kind::result, flight.worker, flight.connection, attempt, result.rest_from,
                    static_cast<std::uint32_t>(result.rest.size()), result.error});
  balancer_.on_result(flight.id, result, stage_.now);
  checker_.result(attempt, result, stage_.now);
  checker_.compare(balancer_);
}

// ---- actions

void World::poll_all() {
  for (;;) {
    checker_.polled(stage_.now);
    const std::optional<core::Action> action = balancer_.poll(stage_.now);
    if (!action) break;
    if (++actions_in_a_row_ > 1'000'000) throw Violation("nothing spins", "actions without end at one moment");
    std::visit([&](const auto& one) { perform(one); }, *action);
    checker_.compare(balancer_);
    if (stage_.agenda.next() <= stage_.now && stage_.random.chance(scenario_.interleave)) happen(stage_.agenda.take());
  }
  checker_.idle(balancer_, stage_.now);
}

void World::perform(const core::Settled& settled) {
  const EventNumber first = checker_.settled(settled);
  stage_.trace.add(
      {.at = stage_.now, .kind = Step::Kind::settled, .x = settled.count, .y = first, .error = settled.reason});
  if (stage_.fault(&Scenario::republish)) offer();
}

void World::perform(const core::DeadLetter& letter) {
  stage_.trace.add({.at = stage_.now,
                    .kind = Step::Kind::dead_letter,
                    .x = static_cast<std::uint32_t>(letter.events.size()),
                    .error = letter.reason});
  checker_.dead_letter(letter);
}

void World::perform(const core::Disconnect& action) {
  stage_.trace.add({stage_.now, Step::Kind::disconnect, action.connection.worker, action.connection.number});
  checker_.disconnect(action);
  network_->disconnect(action.connection);
}

void World::perform(const core::Connect& action) {
  stage_.trace.add({stage_.now, Step::Kind::connect, action.connection.worker, action.connection.number});
  checker_.connect(action, stage_.now);
  network_->connect(action.connection);
}

void World::perform(const core::Send& action) {
  const std::uint32_t attempt = checker_.next_flight();
  stage_.trace.add({stage_.now, Step::Kind::send, action.worker, 0, attempt,
                    static_cast<std::uint32_t>(action.batch.size()), number_of(*action.batch.begin())});
  checker_.send(action, stage_.now);
  network_->send(action.worker, attempt, action.batch);
}

void World::perform(const core::Replace& action) {
  stage_.trace.add({.at = stage_.now, .kind = Step::Kind::replace, .worker = action.worker, .x = action.successor});
  hosts_.join(action.successor, hosts_.place(action.worker));
  checker_.replace(action);
}

void World::perform(const core::Left& action) {
  stage_.trace.add({stage_.now, Step::Kind::left, action.worker});
  checker_.left(action);
}

}  // namespace windlass::sim
