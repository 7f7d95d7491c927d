#include "core/balancer.h"

#include <variant>

#include "core/world.h"

namespace windlass::core {
namespace {

TEST(Balancer, AnEventThatIsAcknowledgedIsSignalledOnce) {
  World world(1);
  const auto publish = world.publish();
  const auto sent = world.take();
  EXPECT_EQ(sent.batch[0], "0.0");
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.answer(sent.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].times, 1u);
  EXPECT_FALSE(world.heard[publish].reason);
  world.answer(sent.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].times, 1u);
}

// What poll answers, and in which order.

std::shared_ptr<Submission> submission_of(std::size_t events, Signalling signalling = Signalling::all) {
  auto submission = std::make_shared<Submission>();
  for (std::size_t event = 0; event < events; ++event) submission->append("event");
  submission->signalling = signalling;
  return submission;
}

TEST(Balancer, PollsInTheOrderThatItsHeaderNames) {
  const base::Time now{1h};
  Options options;
  options.dead_letter = true;
  options.bulk_max_events = 1;
  Balancer balancer(options, std::vector<WorkerOptions>(2), 1, now);
  ConnectionId connections[2];
  for (auto& connection : connections) connection = std::get<Connect>(balancer.poll(now).value()).connection;
  EXPECT_FALSE(balancer.poll(now));
  for (const auto& connection : connections) balancer.on_connected(connection, now);
  EXPECT_FALSE(balancer.offer(submission_of(3), now));
  EXPECT_FALSE(balancer.offer(submission_of(1), now));
  const auto first = std::get<Send>(balancer.poll(now).value());
  const auto second = std::get<Send>(balancer.poll(now).value());
  EXPECT_NE(first.worker, second.worker);
  std::get<Send>(balancer.poll(now).value());
  balancer.on_result(first.attempt, PublishResult::failed(errc::rejected), now);
  balancer.on_lost(connections[second.worker], errc::connection_lost, now);
  std::vector<std::size_t> kinds;
  while (const auto action = balancer.poll(now)) {
    kinds.push_back(action->index());
    if (kinds.size() > 10) break;
  }
  const Action dead_letter = DeadLetter{};
  const Action disconnect = Disconnect{};
  const Action send = Send{};
  EXPECT_EQ(kinds.front(), dead_letter.index());
  ASSERT_GE(kinds.size(), 3u);
  EXPECT_EQ(kinds[1], disconnect.index()) << "before anything is sent";
  for (std::size_t place = 2; place < kinds.size(); ++place) EXPECT_EQ(kinds[place], send.index());
}

TEST(Balancer, SendsAreCutAtTheMomentOfTheCall) {
  const base::Time now{1h};
  Balancer balancer({}, std::vector<WorkerOptions>(1), 1, now);
  const auto connect = std::get<Connect>(balancer.poll(now).value());
  EXPECT_FALSE(balancer.offer(submission_of(1), now));
  balancer.on_connected(connect.connection, now);
  EXPECT_FALSE(balancer.offer(submission_of(2), now));
  EXPECT_EQ(std::get<Send>(balancer.poll(now).value()).batch.size(), 3u) << "what came in until now";
}

TEST(Balancer, SignalsAreForThoseWhoAskedForThem) {
  const base::Time now{1h};
  for (const Signalling signalling : {Signalling::none, Signalling::all, Signalling::each}) {
    Balancer balancer({}, std::vector<WorkerOptions>(1), 1, now);
    balancer.on_connected(std::get<Connect>(balancer.poll(now).value()).connection, now);
    const auto submission = submission_of(4, signalling);
    EXPECT_FALSE(balancer.offer(submission, now));
    const auto send = std::get<Send>(balancer.poll(now).value());
    balancer.on_progress(send.attempt, 3, now);
    const auto early = balancer.poll(now);
    ASSERT_EQ(early.has_value(), signalling == Signalling::each);
    if (early) {
      const auto& settled = std::get<Settled>(*early);
      EXPECT_EQ(settled.submission, submission);
      EXPECT_EQ(settled.first, 0u);
      EXPECT_EQ(settled.count, 3u);
    }
    balancer.on_result(send.attempt, PublishResult::acked(), now);
    const auto late = balancer.poll(now);
    ASSERT_EQ(late.has_value(), signalling != Signalling::none);
    if (late) {
      EXPECT_EQ(std::get<Settled>(*late).count, signalling == Signalling::all ? 4u : 1u);
    }
    EXPECT_FALSE(balancer.poll(now));
    EXPECT_EQ(balancer.ledger().acked, 4u);
  }
}

// Inputs that are over.

TEST(Balancer, InputOfAnEarlierConnectionChangesNothing) {
  World world(1);
  world.publish();
  const ConnectionId old = world.connection[0];
  world.lose(0);
  world.pass(1s);
  ASSERT_NE(world.connection[0], old);
  world.balancer.on_lost(old, errc::connection_lost, world.now);
  world.balancer.on_connected(old, world.now);
  world.balancer.on_disconnected(old, world.now);
  world.balancer.on_alive(old, world.now);
  world.balancer.on_lost({99, 1}, errc::connection_lost, world.now);
  world.run();
  EXPECT_EQ(world.state(0), WorkerState::connected);
  EXPECT_EQ(world.ledger().in_flight, 1u);
}

TEST(Balancer, ACloseThatCrossesWithALossIsAnsweredOnce) {
  World world(1, {}, {.ttl = 1min});
  world.run();
  world.now += 1min;
  world.balancer.handle_timeout(world.now);
  const auto disconnect = std::get<Disconnect>(world.balancer.poll(world.now).value());
  world.balancer.on_lost(disconnect.connection, errc::connection_lost, world.now);
  EXPECT_FALSE(world.balancer.poll(world.now)) << "it is closing already";
  world.balancer.on_disconnected(disconnect.connection, world.now);
  EXPECT_TRUE(std::holds_alternative<Connect>(world.balancer.poll(world.now).value()));
}

TEST(Balancer, AConnectThatSucceedsAfterItWasGivenUpCountsForNothing) {
  World world(1, {.timeout = 5s}, {.wait_retry = 10s});
  world.connects[0] = World::OnConnect::hang;
  world.run();
  world.pass(5s);
  world.balancer.on_connected(world.connection[0], world.now);
  world.run();
  EXPECT_EQ(world.state(0), WorkerState::waiting);
}

// Partial results: every mixture.

TEST(Balancer, EveryMixtureOfOutcomesSettlesEachEventAsItSays) {
  // Each of four events: acknowledged, handed back without an error, failed, throttled, rejected. And after them a rest
  // of two that was not looked at, for one of several reasons.
  const std::error_code whys[] = {{}, {}, errc::temporary, errc::throttled, errc::rejected};
  const std::error_code errors[] = {{}, errc::temporary, errc::throttled, errc::connection_lost, errc::rejected};
  for (int mixture = 0; mixture < 5 * 5 * 5 * 5; ++mixture) {
    for (const std::uint32_t rest_from : {std::uint32_t{4}, std::uint32_t{2}, PublishResult::none}) {
      for (const std::error_code& error : errors) {
        World world(1, {.max_attempts = 2, .dead_letter = true});
        const auto first = world.publish_each(6);
        PublishResult result;
        result.rest_from = rest_from;
        result.error = error;
        std::vector<int> kinds;
        for (int event = 0, digits = mixture; event < 4; ++event, digits /= 5) {
          kinds.push_back(digits % 5);
          if (digits % 5 != 0) result.rest.push_back({static_cast<std::uint32_t>(event), whys[digits % 5]});
        }
        world.answer(world.take().attempt, result);
        std::size_t back = 0;
        for (std::uint32_t event = 0; event < 6; ++event) {
          const auto& heard = world.heard[first + event];
          const std::error_code why = event >= rest_from ? error : event < 4 ? whys[kinds[event]] : std::error_code();
          const bool acked = event < rest_from && (event >= 4 || kinds[event] == 0);
          const bool rejected = !acked && why == errc::rejected;
          back += !acked && !rejected;
          ASSERT_EQ(heard.times, acked || rejected ? 1u : 0u) << mixture << " " << event;
          ASSERT_EQ(heard.reason, rejected ? make_error_code(errc::rejected) : std::error_code()) << mixture;
        }
        ASSERT_EQ(world.ledger().queued + world.ledger().in_flight, back) << mixture;
        world.everywhere(acknowledging());
        if (!world.sent.empty()) world.answer(world.take().attempt, PublishResult::acked());
        ASSERT_TRUE(world.finish());
        ASSERT_EQ(world.ledger().acked + world.ledger().dead_lettered, 6u);
      }
    }
  }
}

TEST(Balancer, IndicesMayComeInAnyOrderAndThoseThatMakeNoSenseAreOverlooked) {
  World world(1);
  const auto publish = world.publish(3);
  PublishResult result;
  result.rest = {{2, errc::rejected}, {1, errc::rejected}, {2, errc::rejected}, {77, errc::rejected}};
  world.answer(world.take().attempt, result);
  EXPECT_EQ(world.heard[publish].acked, 1u);
  EXPECT_EQ(world.heard[publish].failed, 2u);
}

TEST(Balancer, WhatWasAcknowledgedStaysSoWhateverTheResultSays) {
  World world(1, {.max_attempts = 1});
  const auto publish = world.publish_each(4);
  const auto sent = world.take();
  world.progress(sent.attempt, 2);
  world.progress(sent.attempt, 1);
  EXPECT_EQ(world.ledger().acked, 2u) << "progress does not go back";
  world.answer(sent.attempt, PublishResult::acked_first(0, errc::rejected));
  EXPECT_FALSE(world.heard[publish + 1].reason);
  EXPECT_EQ(world.heard[publish + 2].reason, errc::rejected);
  EXPECT_EQ(world.ledger().acked, 2u);
}

TEST(Balancer, ProgressBeyondTheBatchIsAllOfIt) {
  World world(1, {}, {.window = 1});
  const auto publish = world.publish(2);
  const auto sent = world.take();
  world.progress(sent.attempt, 1000);
  EXPECT_EQ(world.heard[publish].acked, 2u);
  EXPECT_EQ(world.figures(0).in_flight, 0u);
  world.publish();
  EXPECT_TRUE(world.sent.empty()) << "the batch has its place in the window until its result";
  world.lose(0);
  EXPECT_EQ(world.ledger().retried, 0u);
}

TEST(Balancer, CountsSendsThatWereNotAcknowledgedInFull) {
  World world(1);
  world.publish(4);
  world.answer(world.take().attempt, PublishResult::acked_first(1, {}));
  EXPECT_EQ(world.figures(0).failed_attempts, 1u);
  world.answer(world.take().attempt, PublishResult::acked_first(1, errc::connection_lost));
  EXPECT_EQ(world.figures(0).failed_attempts, 2u);
  world.pass(1s);
  world.answer(world.take().attempt, PublishResult::failed(errc::temporary));
  EXPECT_EQ(world.figures(0).failed_attempts, 3u);
  world.pass(1s);
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(world.figures(0).failed_attempts, 3u);
  EXPECT_EQ(world.figures(0).batches, 1u);
  EXPECT_EQ(world.figures(0).acked, 4u);
}

TEST(Balancer, ProgressGivesBackTheAttemptsThatWereSpentBefore) {
  World world(1, {.max_attempts = 2}, {.wait_retry = 1s, .max_wait_retry = 1s});
  const auto publish = world.publish(3);
  const PublishResult nothing = PublishResult::failed(errc::temporary);
  for (const auto& result : {nothing, PublishResult::acked_first(1, errc::temporary), nothing}) {
    world.answer(world.take().attempt, result);
    world.pass(1s);
  }
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.answer(world.take().attempt, nothing);
  EXPECT_EQ(world.heard[publish].reason, errc::attempts_exhausted);
}

TEST(Balancer, WhatKeepsFailingRestsAndOnlyThenItsWaitBegins) {
  World world(2, {.max_attempts = 3, .timeout = 10s}, {.wait_retry = 16s, .max_wait_retry = 16s});
  const auto publish = world.publish();
  world.connects.assign(2, World::OnConnect::refuse);
  for (int times = 0; times < 2; ++times)
    world.answer(world.take().attempt, PublishResult::failed(errc::connection_lost));
  const base::Time failed_at = world.now;
  world.pass(1min);
  EXPECT_EQ(world.heard[publish].reason, errc::no_worker);
  EXPECT_GE(world.heard[publish].at - failed_at, 11s) << "a sixteenth of its backoff at the least, then the timeout";
  EXPECT_LE(world.heard[publish].at - failed_at, 26s);
}

TEST(Balancer, EventsThatFailWithAnErrorOfTheirOwnSpendAnAttempt) {
  World world(1, {.max_attempts = 1});
  const auto publish = world.publish(2);
  world.answer(world.take().attempt, PublishResult::returned({{0, errc::temporary}, {1, errc::temporary}}));
  EXPECT_EQ(world.heard[publish].reason, errc::attempts_exhausted);
}

// Who is to blame: the endpoint, or the work.

TEST(Balancer, WorkThatFailedElsewhereIsBlamedForTheLossOfAConnection) {
  World world(2);
  world.publish();
  world.lose(world.take().worker);
  const auto again = world.take();
  world.lose(again.worker);
  EXPECT_EQ(world.state(again.worker), WorkerState::connected) << "again, at once";
  EXPECT_EQ(world.figures(again.worker).connects, 2u);
}

TEST(Balancer, WorkThatFailedElsewhereIsBlamedForASilence) {
  World world(2, {.timeout = 30s}, {.wait_retry = 10s});
  world.publish();
  world.lose(world.take().worker);
  const auto again = world.take();
  world.pass(30s);
  EXPECT_EQ(world.state(again.worker), WorkerState::connected);
  EXPECT_EQ(world.figures(again.worker).connects, 2u);
}

TEST(Balancer, AnEndpointThatIsKnownToFailIsBlamedWhateverItFails) {
  World world(2, {.max_attempts = 0}, {.wait_retry = 10s});
  world.publish();
  const auto first = world.take();
  world.publish();
  world.lose(world.take().worker);  // so this one is known to fail
  world.pass(10s);
  world.lose(first.worker);
  const auto at_the_failing = world.take_from(1 - first.worker);
  world.lose(at_the_failing.worker);
  EXPECT_EQ(world.state(at_the_failing.worker), WorkerState::waiting);
}

TEST(Balancer, WorkThatFailedAtTwoWorkersIsBlamedWhoeverFailsItNext) {
  World world(2, {.max_attempts = 0, .timeout = 1h}, {.wait_retry = 10s, .max_wait_retry = 10s});
  world.publish();
  const auto first = world.take();
  world.connects[first.worker] = World::OnConnect::refuse;
  world.lose(first.worker);
  for (int times = 0; times < 5; ++times) {
    const auto again = world.take();
    world.answer(again.attempt, PublishResult::failed(errc::temporary));
    EXPECT_EQ(world.state(again.worker), WorkerState::connected) << "the work rests, not the worker";
    world.pass(10s);
  }
}

TEST(Balancer, ALostConnectionCostsAnAttemptAndProgressBeforeItGivesThemBack) {
  World world(1, {.max_attempts = 2}, {.wait_retry = 1s, .max_wait_retry = 1s});
  const auto publish = world.publish(3);
  for (const std::uint32_t progress : {0u, 1u, 0u}) {
    const auto sent = world.take();
    if (progress > 0) world.progress(sent.attempt, progress);
    world.lose(0);
    world.pass(1s);
  }
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.lose(world.take().worker);
  EXPECT_EQ(world.heard[publish].reason, errc::attempts_exhausted);
  EXPECT_EQ(world.heard[publish].acked, 1u);
}

TEST(Balancer, ProgressShortensTheRestOfWorkAgain) {
  World world(2, {.max_attempts = 1000000, .timeout = 1h}, {.wait_retry = 1s, .max_wait_retry = 10min});
  world.everywhere(failing(errc::temporary));
  world.publish(10);
  world.pass(2h);  // so that the work has come to rest for minutes
  unsigned sends = 0;
  world.everywhere(
      {[&](const Batch&) { return PublishResult::acked_first(++sends == 1 ? 1 : 0, errc::temporary); }, {}});
  while (sends < 2) world.pass(1s);
  const base::Time failed_again_at = world.now;
  while (sends < 3) world.pass(100ms);
  EXPECT_LE(world.now - failed_again_at, 3s);
}

TEST(Balancer, ASubmissionThatIsUsedAgainBeginsAnew) {
  const base::Time now{1h};
  Balancer balancer({}, std::vector<WorkerOptions>(1), 1, now);
  balancer.on_connected(std::get<Connect>(balancer.poll(now).value()).connection, now);
  const auto submission = submission_of(2);
  for (const std::error_code reason : {make_error_code(errc::rejected), std::error_code()}) {
    EXPECT_FALSE(balancer.offer(submission, now));
    const auto send = std::get<Send>(balancer.poll(now).value());
    balancer.on_result(send.attempt, reason ? PublishResult::failed(reason) : PublishResult::acked(), now);
    const auto settled = std::get<Settled>(balancer.poll(now).value());
    EXPECT_EQ(settled.reason, reason);
    EXPECT_EQ(settled.submission->acked, reason ? 0u : 2u);
    EXPECT_EQ(settled.submission->failed, reason ? 2u : 0u);
  }
}

// Throttling.

TEST(Balancer, AThrottledWorkerRestsForAsLongAsItWasAsked) {
  World world(1, {.max_attempts = 0, .timeout = 5min}, {.wait_retry = 1s, .max_wait_retry = 60s});
  world.publish();
  world.answer(world.take().attempt, PublishResult::throttled(20s));
  world.pass(20s - 1ns);
  EXPECT_TRUE(world.sent.empty());
  world.pass(1ns);
  EXPECT_EQ(world.sent.size(), 1u);
}

TEST(Balancer, ARestThatAPeerAsksForIsBounded) {
  for (const base::Duration asked :
       {base::Duration(24h), base::Duration::max(), base::Duration(-5s), base::Duration::min()}) {
    World world(1, {.max_attempts = 0, .timeout = 5min}, {.wait_retry = 1s, .max_wait_retry = 60s});
    world.publish();
    world.answer(world.take().attempt, PublishResult::throttled(asked));
    world.pass(60s);
    EXPECT_EQ(world.sent.size(), 1u);
  }
}

TEST(Balancer, AnEndpointThatAskedToBeSparedIsSparedOverANewConnectionToo) {
  World world(1, {.max_attempts = 0, .timeout = 5min}, {.wait_retry = 1s, .max_wait_retry = 60s});
  world.publish();
  world.answer(world.take().attempt, PublishResult::throttled(30s));
  world.lose(0);
  world.pass(29s);
  EXPECT_EQ(world.figures(0).connects, 2u);
  EXPECT_TRUE(world.sent.empty());
  world.pass(1s);
  EXPECT_EQ(world.sent.size(), 1u);
}

TEST(Balancer, TheTimeIsOfThrottledAnswersOnly) {
  World world(1, {.max_attempts = 0});
  world.publish();
  PublishResult result = PublishResult::failed(errc::temporary);
  result.retry_after = 30s;
  world.answer(world.take().attempt, result);
  world.pass(1s);
  EXPECT_EQ(world.sent.size(), 1u);
}

TEST(Balancer, ThePolicyHearsOfThrottlingInFullAndInPart) {
  struct Policy final : HandOutPolicy {
    Choice choose(const Workers& candidates, const Workers&, const Head&, base::Time) override {
      return {candidates.front()};
    }
    unsigned window(WorkerId) const override { return 1; }
    const char* window_reason(WorkerId) const override { return "counts"; }
    void on_throttled(WorkerId, base::Time) override { ++throttles; }
    int throttles = 0;
  };
  auto owned = std::make_unique<Policy>();
  Policy* const policy = owned.get();
  World world(std::move(owned), {{}});
  world.publish(3);
  world.answer(world.take().attempt, PublishResult::throttled());
  EXPECT_EQ(policy->throttles, 1);
  world.pass(1s);
  world.answer(world.take().attempt, PublishResult::returned({{1, errc::throttled}, {2, errc::throttled}}));
  EXPECT_EQ(policy->throttles, 2) << "once for a batch";
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(policy->throttles, 2);
}

TEST(Balancer, OthersGoOnWhileOneIsThrottled) {
  World world(2, {}, {.window = 1});
  world.publish();
  const auto throttled = world.take();
  world.answer(throttled.attempt, PublishResult::throttled(30s));
  for (int times = 0; times < 5; ++times) {
    const auto sent = world.take();
    EXPECT_NE(sent.worker, throttled.worker);
    world.answer(sent.attempt, PublishResult::acked());
    world.publish();
  }
}

// Who draws.

TEST(Balancer, WhoHasLeastInFlightDrawsFirstThenWhoWaitsLongest) {
  World world(3, {}, {.window = 2});
  for (int event = 0; event < 3; ++event) {
    world.publish();
    world.now += 1ms;
  }
  std::vector<World::Sent> all{world.take_from(0), world.take_from(1), world.take_from(2)};
  world.answer(all[0].attempt, PublishResult::acked());
  world.publish();
  EXPECT_EQ(world.take().worker, 0u) << "it is idle";
  world.publish();
  EXPECT_EQ(world.take().worker, 1u) << "its last draw is the oldest";
}

TEST(Balancer, AProbeIsOneBatchHoweverMuchWaits) {
  Options options;
  options.bulk_max_events = 1;
  options.max_attempts = 0;
  World world(1, options, {.window = 10});
  world.publish(100);
  EXPECT_EQ(world.sent.size(), 10u);
  world.sent.clear();
  world.lose(0);
  world.pass(1s);
  EXPECT_EQ(world.sent.size(), 1u);
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(world.sent.size(), 10u);
}

TEST(Balancer, AFailedProbeMeansALongerRest) {
  World world(1, {.max_attempts = 0, .timeout = 1h}, {.wait_retry = 1s, .max_wait_retry = 60s});
  world.everywhere(failing(errc::temporary));
  world.publish();
  world.pass(10min);
  const auto before = world.endpoints[0].sends;
  world.pass(10min);
  EXPECT_LE(world.endpoints[0].sends - before, 60u);
  EXPECT_GE(world.endpoints[0].sends - before, 10u);
}

// Priorities.

std::vector<WorkerOptions> with_priorities(std::initializer_list<unsigned> priorities) {
  std::vector<WorkerOptions> workers;
  for (const unsigned priority : priorities) {
    workers.emplace_back().priority = priority;
    workers.back().window = 1;
  }
  return workers;
}

TEST(Balancer, WorkersOfTheSamePriorityShare) {
  World world(with_priorities({0, 0, 1}));
  for (int event = 0; event < 3; ++event) world.publish();
  EXPECT_EQ(world.sent.size(), 2u) << "a busy preferred group is not a failed one";
  EXPECT_EQ(world.state(2), WorkerState::standby);
}

TEST(Balancer, AGroupIsInUseWhileOneOfItIs) {
  World world(with_priorities({0, 0, 1}));
  world.connects[0] = World::OnConnect::refuse;
  world.publish();
  EXPECT_EQ(world.take().worker, 1u);
  EXPECT_EQ(world.state(2), WorkerState::standby);
  world.connects[1] = World::OnConnect::refuse;
  world.lose(1);
  EXPECT_EQ(world.take().worker, 2u);
}

TEST(Balancer, AHealedPreferredWorkerIsProvedBeforeTheOtherIsLetGo) {
  World world(with_priorities({0, 1}));
  world.connects[0] = World::OnConnect::refuse;
  world.publish();
  const auto at_second = world.take();
  EXPECT_EQ(at_second.worker, 1u);
  world.connects[0] = World::OnConnect::accept;
  world.pass(2s);
  EXPECT_EQ(world.state(0), WorkerState::connected);
  EXPECT_EQ(world.state(1), WorkerState::connected) << "a connect proves nothing";
  world.publish();
  const auto probe = world.take_from(0);
  world.answer(probe.attempt, PublishResult::acked());
  EXPECT_EQ(world.figures(1).in_flight, 1u) << "what it has in flight is finished";
  world.publish();
  EXPECT_EQ(world.take().worker, 0u);
  world.answer(at_second.attempt, PublishResult::acked());
  EXPECT_EQ(world.state(1), WorkerState::standby);
  EXPECT_EQ(world.succeeded(), 2u);
}

TEST(Balancer, AWorkerThatLeavesIsClosedWithItsLastBatchHoweverThatEnded) {
  World world(2, {}, {.ttl = 1min, .window = 2});
  world.publish();
  const auto first = world.take();
  world.answer(first.attempt, PublishResult::failed(errc::temporary));
  const auto again = world.take();
  const auto connects = world.figures(again.worker).connects;
  for (int times = 0; times < 6; ++times) {
    world.alive(again.worker);
    world.pass(10s);
  }
  EXPECT_EQ(world.figures(again.worker).connects, connects) << "too old, but it finishes first";
  // The work failed at another before, so that nobody is blamed, and nothing else happens.
  world.answer(again.attempt, PublishResult::failed(errc::temporary));
  EXPECT_EQ(world.figures(again.worker).connects, connects + 1);
}

// Drain and close.

TEST(Balancer, ADrainOfNothingClosesAtOnce) {
  World world(2);
  world.run();
  world.drain(1h);
  EXPECT_TRUE(world.balancer.closed());
}

TEST(Balancer, ADrainStillRetriesAndReconnects) {
  World world(1);
  world.everywhere(failing_first(2, errc::connection_lost));
  world.publish();
  world.drain(1min);
  world.pass(10s);
  EXPECT_EQ(world.succeeded(), 1u);
  EXPECT_TRUE(world.balancer.closed());
}

TEST(Balancer, OfSeveralDrainsTheEarliestDeadlineCounts) {
  World world(1, {.guaranteed = true});
  world.connects[0] = World::OnConnect::refuse;
  world.publish();
  world.drain(10s);
  world.drain(1h);
  world.pass(10s);
  EXPECT_TRUE(world.balancer.closed());
}

TEST(Balancer, ADrainWhoseDeadlineHasPassedIsAClose) {
  World world(1);
  world.publish();
  world.drain(0s);
  EXPECT_EQ(world.heard[0].reason, errc::closed);
}

TEST(Balancer, CloseLeavesAnAcknowledgedPartAcknowledged) {
  World world(1);
  world.publish(3);
  world.progress(world.take().attempt, 2);
  world.close();
  EXPECT_EQ(world.heard[0].acked, 2u);
  EXPECT_EQ(world.heard[0].failed, 1u);
  EXPECT_EQ(world.heard[0].reason, errc::closed);
}

// Budgets.

TEST(Balancer, BytesAreHeldUntilAllOfASubmissionIsSettled) {
  World world(1);
  world.publish_sizes({10, 20});
  const auto sent = world.take();
  world.progress(sent.attempt, 1);
  EXPECT_EQ(world.balancer.held_events(), 1u);
  EXPECT_EQ(world.balancer.held_bytes(), 30u) << "its buffer is still in memory";
  world.progress(sent.attempt, 2);
  EXPECT_EQ(world.balancer.held_bytes(), 0u);
}

TEST(Balancer, EventsThatAreHandedBackOutOfOrderAreStillSentAgain) {
  World world(1);
  world.publish(4);
  world.answer(world.take().attempt, PublishResult::returned({{3, {}}, {1, {}}, {3, {}}}));
  const auto again = world.take();
  ASSERT_EQ(again.batch.size(), 2u);
  EXPECT_EQ(again.batch[0], "0.1");
  EXPECT_EQ(again.batch[1], "0.3");
}

// Waking up.

TEST(Balancer, AsksToBeWokenForWhatIsNextAndNothingElse) {
  World world(1, {.timeout = 30s, .progress_timeout = 5min}, {.ttl = 1h});
  const base::Time begin = world.now;
  world.run();
  EXPECT_EQ(world.balancer.next_timeout(), begin + 1h) << "the age of the connection";
  world.publish();
  EXPECT_EQ(world.balancer.next_timeout(), begin + 30s) << "the peer's silence";
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(world.balancer.next_timeout(), begin + 1h);
  world.balancer.drain(begin + 5s, world.now);
  EXPECT_EQ(world.balancer.next_timeout(), base::never) << "nothing was left";
}

TEST(Balancer, WakingItTooEarlyOrTooOftenChangesNothing) {
  World world(2, {.max_attempts = 3});
  world.publish();
  const auto sent = world.take();
  for (int times = 0; times < 100; ++times) {
    world.balancer.handle_timeout(world.now);
    world.run();
  }
  EXPECT_TRUE(world.sent.empty());
  world.answer(sent.attempt, PublishResult::acked());
  EXPECT_EQ(world.succeeded(), 1u);
}

}  // namespace
}  // namespace windlass::core
