// Whatever happens, in whatever order: the ledger adds up, each accepted publish is signalled once, no window and no
// budget is exceeded. The world checks most of it at every step.

#include <gtest/gtest.h>
#include <iterator>
#include <numeric>
#include <rapidcheck/gtest.h>

#include "core/balancer.h"
#include "core/earliest_finish.h"
#include "core/world.h"

namespace windlass::core {
namespace {

struct Step {
  enum Kind {
    publish,
    publish_guaranteed,
    publish_each,
    ack,
    nack,
    return_some,
    progress,
    lose,
    alive,
    change_connects,
    accept,
    late,
    little_time,
    much_time,
    drain,
    close,
  };
  Kind kind = publish;
  std::uint32_t number = 0;  ///< of what, how many, how long
};

void showValue(const Step& step, std::ostream& out) {
  static constexpr const char* names[] = {"publish",     "guaranteed", "each",  "ack",      "nack",   "return",
                                          "progress",    "lose",       "alive", "connects", "accept", "late",
                                          "little time", "much time",  "drain", "close"};
  out << names[step.kind] << " " << step.number;
}

const std::error_code whys[] = {{}, errc::temporary, errc::throttled, errc::rejected, errc::connection_lost};

std::vector<unsigned> bounds_of(const std::vector<WorkerOptions>& workers) {
  std::vector<unsigned> bounds;
  for (const WorkerOptions& worker : workers) bounds.push_back(worker.window);
  return bounds;
}

class Run {
 public:
  Run(Options options, std::vector<WorkerOptions> workers, std::uint64_t seed)
      : options_(options), workers_(workers), world_(any_policy(workers), workers, options, seed) {
    world_.quiet = true;
    world_.run();
  }

  void take(const Step& step) {
    const bool closed = world_.balancer.closed();
    const std::size_t signalled = world_.signalled();
    perform(step);
    check();
    if (closed) RC_ASSERT(world_.signalled() == signalled);
  }

  /// Ends the run, and looks at it as a whole.
  void end() {
    world_.close();
    check();
    const Ledger& ledger = world_.ledger();
    RC_ASSERT(ledger.queued + ledger.in_flight == 0u);
    RC_ASSERT(world_.balancer.held_bytes() == 0u);
    RC_ASSERT(world_.balancer.next_timeout() == base::never);
    std::uint64_t acked = 0;
    std::uint64_t failed = 0;
    for (std::size_t number = 0; number < world_.heard.size(); ++number) {
      const auto& heard = world_.heard[number];
      RC_ASSERT(heard.times == (refused_.contains(number) ? 0u : 1u));
      RC_ASSERT(refused_.contains(number) || static_cast<bool>(heard.reason) == (heard.failed > 0));
      acked += heard.acked;
      failed += heard.failed;
    }
    RC_ASSERT(acked == ledger.acked);
    RC_ASSERT(failed == ledger.dropped_total() + ledger.dead_lettered);
    const auto lettered =
        std::accumulate(world_.dead_letters.begin(), world_.dead_letters.end(), std::size_t{0},
                        [](std::size_t sum, const DeadLetter& letter) { return sum + letter.events.size(); });
    RC_ASSERT(lettered == ledger.dead_lettered);
    std::uint64_t acked_by_workers = 0;
    for (const auto& worker : world_.balancer.statistics(world_.now).workers) acked_by_workers += worker.acked;
    RC_ASSERT(acked_by_workers == ledger.acked);
  }

  /// Makes the world well, and sees that everything is settled in bounded time.
  void heal() {
    if (world_.balancer.closed()) return;
    world_.connects.assign(workers_.size(), World::OnConnect::accept);
    for (WorkerId worker = 0; worker < workers_.size(); ++worker) {
      if (world_.state(worker) == WorkerState::connecting) world_.accept(worker);
    }
    world_.everywhere(acknowledging(1ms));
    RC_ASSERT(world_.finish(10min));
  }

 private:
  static std::unique_ptr<HandOutPolicy> any_policy(const std::vector<WorkerOptions>& workers) {
    if (*rc::gen::arbitrary<bool>()) return fixed_windows(bounds_of(workers));
    return std::make_unique<EarliestFinish>(bounds_of(workers));
  }

  void perform(const Step& step) {
    const auto worker = static_cast<WorkerId>(step.number % workers_.size());
    switch (step.kind) {
      case Step::publish:
      case Step::publish_guaranteed:
        remember_refusal(world_.publish(step.number % 12, step.kind == Step::publish_guaranteed), 1);
        break;
      case Step::publish_each:
        remember_refusal(world_.publish_each(step.number % 12), step.number % 12);
        break;
      case Step::ack:
        answer(step, PublishResult::acked());
        break;
      case Step::nack:
        answer(step, PublishResult::acked_first(step.number % 4, whys[step.number % std::size(whys)]));
        break;
      case Step::return_some: {
        PublishResult result;
        for (std::uint32_t index = step.number % 3; index < 12; index += 1 + step.number % 4)
          result.rest.push_back({index, whys[(step.number + index) % std::size(whys)]});
        if (step.number % 2 == 0) result.rest_from = step.number % 7;
        if (step.number % 5 == 0) result.error = whys[step.number % std::size(whys)];
        answer(step, result);
        break;
      }
      case Step::progress:
        if (!world_.sent.empty())
          world_.progress(world_.sent[step.number % world_.sent.size()].attempt, step.number % 8);
        break;
      case Step::lose:
        if (world_.connection.contains(worker)) world_.lose(worker);
        break;
      case Step::alive:
        if (world_.connection.contains(worker)) world_.alive(worker);
        break;
      case Step::change_connects:
        world_.connects[worker] = static_cast<World::OnConnect>(step.number / 7 % 3);
        break;
      case Step::accept:
        if (world_.connection.contains(worker) && world_.state(worker) == WorkerState::connecting)
          world_.accept(worker);
        break;
      case Step::late:
        if (!answered_.empty())
          world_.balancer.on_result(answered_[step.number % answered_.size()], PublishResult::acked(), world_.now);
        world_.run();
        break;
      case Step::little_time:
        world_.pass(1ms * (step.number % 2000));
        break;
      case Step::much_time:
        world_.pass(1s * (step.number % 120));
        break;
      case Step::drain:
        world_.drain(1s * (step.number % 100));
        break;
      case Step::close:
        world_.close();
        break;
    }
  }

  void remember_refusal(std::size_t number, std::size_t publishes) {
    for (std::size_t publish = number; world_.refusal && publish < number + publishes; ++publish)
      refused_.insert(publish);
  }

  void answer(const Step& step, const PublishResult& result) {
    if (world_.sent.empty()) return;
    const auto place = world_.sent.begin() + static_cast<std::ptrdiff_t>(step.number % world_.sent.size());
    const AttemptId attempt = place->attempt;
    world_.sent.erase(place);
    answered_.push_back(attempt);
    world_.answer(attempt, result);
  }

  void check() {
    RC_ASSERT(world_.broken == "");
    RC_ASSERT(world_.balancer.held_events() <= options_.queue_events);
    RC_ASSERT(world_.balancer.held_bytes() <= options_.queue_bytes);
    std::uint64_t in_flight = 0;
    for (const auto& worker : world_.balancer.statistics(world_.now).workers) in_flight += worker.in_flight;
    RC_ASSERT(in_flight == world_.ledger().in_flight);
  }

  Options options_;
  std::vector<WorkerOptions> workers_;
  World world_;
  std::set<std::size_t> refused_;
  std::vector<AttemptId> answered_;
};

rc::Gen<std::vector<Step>> steps(std::initializer_list<std::pair<std::size_t, Step::Kind>> weights) {
  std::vector<Step::Kind> kinds;
  for (const auto& [weight, kind] : weights) kinds.insert(kinds.end(), weight, kind);
  return rc::gen::scale(3, rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
                               rc::gen::set(&Step::kind, rc::gen::elementOf(kinds)),
                               rc::gen::set(&Step::number, rc::gen::inRange<std::uint32_t>(0, 10000)))));
}

rc::Gen<std::vector<Step>> any_steps() {
  return steps({{20, Step::publish},
                {4, Step::publish_guaranteed},
                {8, Step::publish_each},
                {20, Step::ack},
                {10, Step::nack},
                {10, Step::return_some},
                {8, Step::progress},
                {5, Step::lose},
                {3, Step::alive},
                {4, Step::change_connects},
                {3, Step::accept},
                {5, Step::late},
                {12, Step::little_time},
                {3, Step::much_time}});
}

Options any_options() {
  Options options;
  options.max_attempts = *rc::gen::inRange(0, 5);
  options.guaranteed = *rc::gen::weightedElement<bool>({{5, false}, {1, true}});
  options.dead_letter = *rc::gen::arbitrary<bool>();
  options.queue_events = *rc::gen::inRange<std::size_t>(5, 100);
  options.queue_bytes = *rc::gen::inRange<std::size_t>(50, 1000);
  options.bulk_max_events = *rc::gen::inRange(1u, 15u);
  options.bulk_max_bytes = *rc::gen::inRange<std::size_t>(1, 60);
  return options;
}

std::vector<WorkerOptions> any_workers() {
  std::vector<WorkerOptions> workers(*rc::gen::inRange<std::size_t>(1, 5));
  for (WorkerOptions& worker : workers) {
    worker.window = *rc::gen::inRange(1u, 5u);
    worker.priority = *rc::gen::weightedElement<unsigned>({{4, 0}, {1, 1}, {1, 2}});
    worker.ttl = *rc::gen::weightedElement<base::Duration>({{3, 0s}, {1, 3s}});
  }
  return workers;
}

RC_GTEST_PROP(BalancerProperty, WhateverHappensTheLedgerAddsUpAndEachPublishIsSignalledOnce, (std::uint64_t seed)) {
  Run run(any_options(), any_workers(), seed);
  for (const Step& step : *any_steps()) run.take(step);
  run.end();
}

RC_GTEST_PROP(BalancerProperty, SoItIsWithADrainOrACloseAmongIt, (std::uint64_t seed)) {
  Run run(any_options(), any_workers(), seed);
  for (const Step& step : *any_steps()) run.take(step);
  run.take({*rc::gen::element(Step::drain, Step::close), *rc::gen::inRange<std::uint32_t>(0, 100)});
  for (const Step& step : *any_steps()) run.take(step);
  run.end();
}

RC_GTEST_PROP(BalancerProperty, OnceFaultsEndEverythingReachesASignal, (std::uint64_t seed)) {
  Run run(any_options(), any_workers(), seed);
  for (const Step& step : *any_steps()) run.take(step);
  run.heal();
  run.end();
}

}  // namespace
}  // namespace windlass::core
