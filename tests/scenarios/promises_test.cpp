// What the balancer promises to whoever publishes through it, each promise by name.

#include <numeric>

#include "core/world.h"

namespace windlass::core {
namespace {

TEST(Promise, WorkersPullSomeAmountOfWorkFromASharedQueue) {
  Options options;
  options.bulk_max_events = 4;
  World world(2, options, {.window = 1});
  for (int event = 0; event < 20; ++event) world.publish();
  // The first two events went out as they came. Nothing more is pushed at the workers while they are busy.
  ASSERT_EQ(world.sent.size(), 2u);
  const auto first = world.take_from(0);
  world.answer(first.attempt, PublishResult::acked());
  ASSERT_EQ(world.sent.size(), 2u) << "one asked, so one was given more";
  EXPECT_EQ(world.take_from(0).batch.size(), 4u) << "some amount of what waited, up to the limit";
  EXPECT_EQ(world.ledger().queued, 14u);
}

TEST(Promise, OnlyWorkersWithAWorkingConnectionTryToGetWork) {
  World world(3);
  world.connects = {World::OnConnect::accept, World::OnConnect::refuse, World::OnConnect::hang};
  world.everywhere(acknowledging(10ms));
  for (int event = 0; event < 100; ++event) {
    world.publish();
    world.pass(10ms);
  }
  ASSERT_TRUE(world.finish());
  EXPECT_GT(world.endpoints[0].sends, 0u);
  EXPECT_EQ(world.endpoints[1].sends, 0u);
  EXPECT_EQ(world.endpoints[2].sends, 0u);
  EXPECT_EQ(world.succeeded(), 100u);
}

TEST(Promise, ADisconnectedWorkerHoldsNothing) {
  World world(2);
  for (int event = 0; event < 4; ++event) world.publish();
  EXPECT_EQ(world.figures(0).in_flight, 2u);
  world.connects[0] = World::OnConnect::hang;
  world.lose(0);
  EXPECT_EQ(world.figures(0).in_flight, 0u);
  EXPECT_EQ(world.figures(1).in_flight, 2u);
  EXPECT_EQ(world.ledger().queued, 2u);
}

TEST(Promise, AWorkerWithLessLatencyGetsMore) {
  Options options;
  options.bulk_max_events = 1;
  World world(2, options);
  world.endpoints = {acknowledging(1ms), acknowledging(10ms)};
  world.publish(1100);
  ASSERT_TRUE(world.finish());
  // A thousand events take the fast one as long as a hundred take the slow one.
  EXPECT_NEAR(static_cast<double>(world.endpoints[0].delivered), 1000.0, 10.0);
  EXPECT_NEAR(static_cast<double>(world.endpoints[1].delivered), 100.0, 10.0);
}

TEST(Promise, TheBalancerAdaptsToTheResourcesOfTheServers) {
  Options options;
  options.bulk_max_events = 1;
  World world(2, options);
  world.endpoints = {acknowledging(1ms), acknowledging(10ms)};
  world.after(500ms, [&] { std::swap(world.endpoints[0].takes, world.endpoints[1].takes); });
  world.publish(20000);
  world.pass(500ms);
  const auto fast_before = world.endpoints[0].delivered;
  const auto slow_before = world.endpoints[1].delivered;
  EXPECT_GT(fast_before, 8 * slow_before);
  world.pass(500ms);
  EXPECT_GT(world.endpoints[1].delivered - slow_before, 8 * (world.endpoints[0].delivered - fast_before));
}

TEST(Promise, WorkersThatDoNotParticipateTryToReconnectContinuously) {
  World world(1, {.max_attempts = 0}, {.wait_retry = 1s, .max_wait_retry = 60s});
  world.connects[0] = World::OnConnect::refuse;
  world.everywhere(acknowledging());
  world.publish();
  std::size_t tries = world.connects_wanted;
  for (int ten_minutes = 0; ten_minutes < 12; ++ten_minutes) {
    world.pass(10min);
    EXPECT_GE(world.connects_wanted, tries + 10) << "it never gives up: a try a minute at least";
    tries = world.connects_wanted;
  }
  world.connects[0] = World::OnConnect::accept;
  world.pass(60s);
  EXPECT_EQ(world.succeeded(), 1u) << "and it participates again once connected";
}

TEST(Promise, EventsOfAnUnavailableConnectionAreRescheduledForAnotherAtOnceAndAheadOfNewWork) {
  World world(2, {}, {.window = 1});
  const auto first = world.publish();
  world.publish();
  world.publish();  // has to wait
  const auto lost = world.take_from(0);
  const auto other = world.take_from(1);
  world.connects[0] = World::OnConnect::hang;
  world.lose(0);
  EXPECT_TRUE(world.sent.empty());
  world.answer(other.attempt, PublishResult::acked());
  const auto again = world.take_from(1);
  EXPECT_EQ(again.at, lost.at) << "without any wait";
  EXPECT_EQ(again.batch[0], lost.batch[0]) << "and not what was published later";
  world.answer(again.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[first].times, 1u);
  EXPECT_FALSE(world.heard[first].reason);
}

TEST(Promise, EventsDoNotGoBackToTheWorkerThatFailedThemWhileAnotherParticipates) {
  World world(2, {}, {.window = 1});
  world.publish();
  const auto busy = world.take();
  world.publish();
  const auto failed = world.take();
  world.answer(failed.attempt, PublishResult::failed(errc::temporary));
  world.pass(20s);  // whatever the backoff was, it is over
  EXPECT_EQ(world.state(failed.worker), WorkerState::connected);
  EXPECT_TRUE(world.sent.empty()) << "the other one is busy, but participates";
  world.answer(busy.attempt, PublishResult::acked());
  const auto again = world.take();
  EXPECT_EQ(again.worker, busy.worker);
  EXPECT_EQ(again.batch[0], failed.batch[0]);
}

TEST(Promise, ReschedulingIsLimitedToAMaximumNumberOfSendAttemptsThenTheEventsAreDropped) {
  World world(2, {.max_attempts = 3});
  world.everywhere(failing(errc::temporary));
  const auto publish = world.publish(5);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.endpoints[0].sends + world.endpoints[1].sends, 3u);
  EXPECT_EQ(world.heard[publish].times, 1u) << "the drop is signalled";
  EXPECT_EQ(world.heard[publish].reason, errc::attempts_exhausted) << "with its reason";
  EXPECT_EQ(world.heard[publish].failed, 5u);
  EXPECT_EQ(world.dropped(errc::attempts_exhausted), 5u) << "and counted, in events";
}

TEST(Promise, WhatIsRefusedForGoodIsDeadLetteredWhereThatIsConfigured) {
  World world(1, {.dead_letter = true});
  const auto publish = world.publish(3);
  world.answer(world.take().attempt, PublishResult::returned({{1, errc::rejected}}));
  ASSERT_EQ(world.dead_letters.size(), 1u);
  EXPECT_EQ(world.dead_letters[0].events[0], "0.1");
  EXPECT_EQ(world.dead_letters[0].reason, errc::rejected);
  EXPECT_EQ(world.ledger().dead_lettered, 1u);
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
  EXPECT_EQ(world.heard[publish].reason, errc::rejected);
  EXPECT_EQ(world.heard[publish].acked, 2u);
}

TEST(Promise, WithNoWorkerAvailableTheMessageIsDroppedAfterMaxRetries) {
  World world(1, {.max_attempts = 4, .timeout = 30s});
  world.connects[0] = World::OnConnect::refuse;
  const auto publish = world.publish(2);
  world.pass(119s);
  EXPECT_EQ(world.heard[publish].times, 0u) << "each timeout that passes costs one of four attempts";
  world.pass(1s);
  EXPECT_EQ(world.heard[publish].times, 1u);
  EXPECT_EQ(world.heard[publish].reason, errc::no_worker);
  EXPECT_EQ(world.dropped(errc::no_worker), 2u);
}

TEST(Promise, WaitingCostsNoAttemptWhileAnythingIsDrawn) {
  Options options{.max_attempts = 2, .timeout = 30s};
  options.bulk_max_events = 1;
  World world(1, options);
  world.everywhere(acknowledging(20s));
  world.publish(40);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().acked, 40u) << "the last of them waited for 13 minutes";
}

TEST(Promise, AModeThatRequiresGuaranteedSendIsRetriedWithoutEnd) {
  World world(2, {.max_attempts = 3, .guaranteed = true});
  world.everywhere(failing_first(50, errc::temporary));
  const auto publish = world.publish();
  ASSERT_TRUE(world.finish());
  EXPECT_FALSE(world.heard[publish].reason);
  EXPECT_GE(world.endpoints[0].sends + world.endpoints[1].sends, 51u);
}

TEST(Promise, AMessageThatRequiresGuaranteedSendIsRetriedWithoutEndAndTheOthersAreNot) {
  World world(1, {.max_attempts = 3});
  world.connects[0] = World::OnConnect::refuse;
  world.everywhere(acknowledging());
  const auto plain = world.publish(1, false);
  const auto guaranteed = world.publish(1, true);
  world.pass(24h);
  EXPECT_EQ(world.heard[plain].reason, errc::no_worker);
  EXPECT_EQ(world.heard[guaranteed].times, 0u);
  world.connects[0] = World::OnConnect::accept;
  world.pass(1min);
  EXPECT_EQ(world.heard[guaranteed].times, 1u);
  EXPECT_FALSE(world.heard[guaranteed].reason);
}

TEST(Promise, CloseStopsAllWorkersClosesAllConnectionsAndSignalsWhatIsInFlightAsFailed) {
  World world(3, {}, {.window = 1});
  for (int event = 0; event < 5; ++event) world.publish();
  ASSERT_EQ(world.sent.size(), 3u);
  world.close();
  EXPECT_TRUE(world.balancer.closed());
  for (const auto& one : world.heard) {
    EXPECT_EQ(one.times, 1u);
    EXPECT_EQ(one.reason, errc::closed);
  }
  for (WorkerId worker = 0; worker < 3; ++worker) EXPECT_EQ(world.state(worker), WorkerState::standby);
  EXPECT_EQ(world.balancer.next_timeout(), base::never);
}

TEST(Promise, DrainFinishesFirst) {
  World world(2);
  world.everywhere(acknowledging(1s));
  for (int event = 0; event < 6; ++event) world.publish();
  world.drain(1min);
  world.publish();
  EXPECT_EQ(world.refusal, errc::closed);
  world.pass(10s);
  EXPECT_TRUE(world.balancer.closed());
  EXPECT_EQ(world.succeeded(), 6u);
}

TEST(Promise, DrainGivesUpAtItsDeadline) {
  World world(1);
  world.everywhere(silent());
  const auto publish = world.publish();
  world.drain(10s);
  world.pass(9s);
  EXPECT_FALSE(world.balancer.closed());
  world.pass(1s);
  EXPECT_TRUE(world.balancer.closed());
  EXPECT_EQ(world.heard[publish].reason, errc::closed);
}

TEST(Promise, PublishEventForwardsTheEventToSomeWorker) {
  World world(4);
  world.publish();
  ASSERT_EQ(world.sent.size(), 1u);
  EXPECT_EQ(world.take().batch[0], "0.0");
}

TEST(Promise, AClientMayPublishASubsetAndHandBackTheRest) {
  World world(1);
  const auto publish = world.publish(6);
  world.answer(world.take().attempt, PublishResult::returned({{1, {}}, {4, {}}}));
  const auto rest = world.take();
  ASSERT_EQ(rest.batch.size(), 2u);
  EXPECT_EQ(rest.batch[0], "0.1");
  EXPECT_EQ(rest.batch[1], "0.4");
  EXPECT_EQ(world.ledger().acked, 4u);
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.answer(rest.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].acked, 6u);
}

TEST(Promise, ProgressOnAPartOfABatchResetsItsAttempts) {
  World world(1, {.max_attempts = 2});
  // One event gets through with each send that fails: eight of them would be far too many for two attempts.
  world.endpoints[0].answer = [](const Batch& batch) {
    return batch.size() > 1 ? PublishResult::acked_first(1, errc::temporary) : PublishResult::acked();
  };
  const auto publish = world.publish(8);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.endpoints[0].sends, 8u);
  EXPECT_FALSE(world.heard[publish].reason);
  EXPECT_EQ(world.ledger().acked, 8u);
}

TEST(Promise, AHostListTimesWorkerConnectionsEach) {
  std::vector<WorkerOptions> workers;
  for (const char* host : {"one", "two", "three"})
    for (int connection = 0; connection < 2; ++connection) workers.push_back({.endpoint = host, .window = 1});
  World world(workers);
  for (int event = 0; event < 10; ++event) world.publish();
  EXPECT_EQ(world.connects_wanted, 6u);
  ASSERT_EQ(world.sent.size(), 6u) << "each connection draws for itself";
  std::map<std::string, std::uint64_t> in_flight;
  for (const auto& worker : world.balancer.statistics(world.now).workers)
    in_flight[worker.endpoint] += worker.in_flight;
  EXPECT_EQ(in_flight, (std::map<std::string, std::uint64_t>{{"one", 2}, {"two", 2}, {"three", 2}}));
}

TEST(Promise, FailoverHasOneActiveConnectionPickedFromTheList) {
  std::vector<WorkerOptions> workers(3);
  for (unsigned place = 0; place < 3; ++place) workers[place].priority = place;
  World world(workers);
  world.everywhere(acknowledging(1ms));
  const auto run_for_a_while = [&] {
    for (int event = 0; event < 100; ++event) {
      world.publish();
      world.pass(1ms);
    }
  };
  run_for_a_while();
  EXPECT_EQ(world.endpoints[0].delivered, 100u);
  EXPECT_EQ(world.connects_wanted, 1u) << "the others are not even connected";
  world.connects[0] = World::OnConnect::refuse;
  world.lose(0);
  run_for_a_while();
  EXPECT_EQ(world.endpoints[1].delivered, 100u);
  EXPECT_EQ(world.endpoints[2].delivered, 0u);
  EXPECT_EQ(world.state(2), WorkerState::standby);
}

}  // namespace
}  // namespace windlass::core
