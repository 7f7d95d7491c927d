// A balancer in a world that does anything, step by step, and what must hold whatever it does: for properties and for
// the fuzzer, which make the steps.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <numeric>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/balancer.h"
#include "core/world.h"

namespace windlass::core {

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
    join,
    remove,
    drain,
    close,
  };
  Kind kind = publish;
  std::uint32_t number = 0;  ///< of what, how many, how long
};

inline void showValue(const Step& step, std::ostream& out) {
  static constexpr const char* names[] = {"publish",     "guaranteed", "each",  "ack",      "nack",   "return",
                                          "progress",    "lose",       "alive", "connects", "accept", "late",
                                          "little time", "much time",  "join",  "remove",   "drain",  "close"};
  out << names[step.kind] << " " << step.number;
}

/// What endpoints may say of an event, or of a batch.
inline const std::error_code whys[] = {{}, errc::temporary, errc::throttled, errc::rejected, errc::connection_lost};

/// Takes steps; throws std::logic_error where something does not hold.
class AnyRun {
 public:
  AnyRun(std::unique_ptr<HandOutPolicy> policy, const Options& options, std::vector<WorkerOptions> workers,
         std::uint64_t seed)
      : options_(options), workers_(workers), world_(std::move(policy), std::move(workers), options, seed) {
    world_.quiet = true;
    world_.run();
  }

  void take(const Step& step) {
    const bool closed = world_.balancer.closed();
    const std::size_t signalled = world_.signalled();
    perform(step);
    check();
    if (closed) require(world_.signalled() == signalled, "nothing is signalled after the close");
  }

  /// Ends the run, and looks at it as a whole.
  void end() {
    world_.close();
    check();
    const Ledger& ledger = world_.ledger();
    require(ledger.queued + ledger.in_flight == 0u, "nothing is left after the close");
    require(world_.balancer.held_bytes() == 0u, "no bytes are held after the close");
    require(world_.balancer.next_timeout() == base::never, "a closed balancer waits for nothing");
    std::uint64_t acked = 0;
    std::uint64_t failed = 0;
    for (std::size_t number = 0; number < world_.heard.size(); ++number) {
      const auto& heard = world_.heard[number];
      require(heard.times == (refused_.contains(number) ? 0u : 1u),
              "an accepted publish is signalled once, a refused one never");
      require(refused_.contains(number) || static_cast<bool>(heard.reason) == (heard.failed > 0),
              "a reason is given exactly where something failed");
      acked += heard.acked;
      failed += heard.failed;
    }
    require(acked == ledger.acked, "what publishers heard as acknowledged is what the ledger says");
    require(failed == ledger.dropped_total() + ledger.dead_lettered,
            "what publishers heard as failed is what the ledger says");
    const auto lettered =
        std::accumulate(world_.dead_letters.begin(), world_.dead_letters.end(), std::size_t{0},
                        [](std::size_t sum, const DeadLetter& letter) { return sum + letter.events.size(); });
    require(lettered == ledger.dead_lettered, "dead letters are what the ledger says");
    std::uint64_t acked_by_workers = 0;
    for (const auto& worker : world_.balancer.statistics(world_.now).workers) acked_by_workers += worker.acked;
    require(acked_by_workers == ledger.acked, "what workers acknowledged is what the ledger says");
  }

  /// Makes the world well, and sees that everything is settled in bounded time.
  void heal() {
    if (world_.balancer.closed()) return;
    world_.join(workers_.front());  // the others may have left
    std::fill(world_.connects.begin(), world_.connects.end(), World::OnConnect::accept);
    world_.everywhere(acknowledging(1ms));
    for (WorkerId worker = 0; worker < world_.connects.size(); ++worker)
      if (world_.connecting(worker)) world_.accept(worker);
    require(world_.finish(10min), "once the world is well, everything is settled in time");
  }

 private:
  static void require(bool holds, const char* what) {
    if (!holds) throw std::logic_error(what);
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
        if (world_.connecting(worker)) world_.accept(worker);
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
      case Step::join:
        if (world_.connects.size() < 12) world_.join(workers_[worker]);
        break;
      case Step::remove:
        world_.remove(step.number % static_cast<WorkerId>(world_.connects.size()), 1s * (step.number % 50));
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
    require(world_.broken.empty(), world_.broken.c_str());
    require(world_.balancer.held_events() <= options_.queue_events, "queued events keep their budget");
    require(world_.balancer.held_bytes() <= options_.queue_bytes, "queued bytes keep their budget");
    std::uint64_t in_flight = 0;
    for (const auto& worker : world_.balancer.statistics(world_.now).workers) in_flight += worker.in_flight;
    require(in_flight == world_.ledger().in_flight, "what workers have in flight is what the ledger says");
  }

  Options options_;
  std::vector<WorkerOptions> workers_;
  World world_;
  std::set<std::size_t> refused_;
  std::vector<AttemptId> answered_;
};

}  // namespace windlass::core
