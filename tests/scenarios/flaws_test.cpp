// Flaws that balancers of this kind are known to have, each as a test that ours has not.

#include <numeric>

#include "core/world.h"

namespace windlass::core {
namespace {

// An endpoint that fails fast draws ever more work.

class AnEndpointThatFailsFast : public testing::TestWithParam<std::pair<const char*, PublishResult>> {};

TEST_P(AnEndpointThatFailsFast, DrawsNextToNothingAndCostsNothing) {
  Options options{.max_attempts = 4};
  options.bulk_max_events = 1;
  World world(3, options);
  world.everywhere(acknowledging(1ms));
  world.endpoints[1] = {[](const Batch&) { return GetParam().second; }, {}};
  for (int publish = 0; publish < 10; ++publish) {
    world.publish(1000);
    world.pass(250ms);
  }
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().acked, 10000u);
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
  EXPECT_LE(world.endpoints[1].sends, 30u) << "a probe in each backoff of a second at most, in 5 seconds";
  EXPECT_LE(world.ledger().retried, 30u);
}

INSTANTIATE_TEST_SUITE_P(Flaw, AnEndpointThatFailsFast,
                         testing::Values(std::pair("ByCallback", PublishResult::failed(errc::temporary)),
                                         std::pair("ByTheConnection", PublishResult::failed(errc::connection_lost)),
                                         std::pair("ByThrottling", PublishResult::throttled()),
                                         std::pair("ByThrottlingWithATime", PublishResult::throttled(10ms)),
                                         std::pair("ByAbandoningIt", PublishResult::failed(errc::abandoned)),
                                         std::pair("ByHandingItBackWithoutAnError", PublishResult::returned({{0, {}}})),
                                         std::pair("ByFailingTheItems",
                                                   PublishResult::returned({{0, errc::temporary}}))),
                         [](const auto& one) { return one.param.first; });

TEST(Flaw, TwoOfThreeEndpointsThatFailFastStillCostNothing) {
  Options options{.max_attempts = 4};
  options.bulk_max_events = 1;
  World world(3, options);
  world.everywhere(failing(errc::temporary));
  world.endpoints[2] = acknowledging(1ms);
  world.publish(10000);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().acked, 10000u);
  EXPECT_LE(world.endpoints[0].sends + world.endpoints[1].sends, 150u);
}

// A signal fires twice, a batch is queued twice.

TEST(Flaw, ASignalFiresOnceWhateverTheOrderOfAcksFailuresLateAnswersAndClose) {
  enum Step { ack, fail, fail_connection, progress, lose, time_out, close };
  std::vector<Step> steps{ack, fail, fail_connection, progress, lose, time_out, close};
  do {
    World world(2, {.max_attempts = 3});
    const auto publish = world.publish(2);
    const auto first = world.take();
    std::string order;
    for (const Step step : steps) {
      order += std::to_string(step);
      switch (step) {
        case ack:
          world.answer(first.attempt, PublishResult::acked());
          break;
        case fail:
          world.answer(first.attempt, PublishResult::failed(errc::temporary));
          break;
        case fail_connection:
          world.answer(first.attempt, PublishResult::failed(errc::connection_lost));
          break;
        case progress:
          world.progress(first.attempt, 1);
          break;
        case lose:
          world.lose(first.worker);
          break;
        case time_out:
          world.pass(31s);
          break;
        case close:
          world.close();
          break;
      }
      ASSERT_LE(world.heard[publish].times, 1u) << order;
    }
    ASSERT_EQ(world.heard[publish].times, 1u) << order;
    ASSERT_EQ(world.heard[publish].acked + world.heard[publish].failed, 2u) << order;
  } while (std::next_permutation(steps.begin(), steps.end()));
}

TEST(Flaw, AnErrorThatIsReturnedAndCalledBackQueuesABatchOnce) {
  World world(3);
  world.publish();
  const auto sent = world.take();
  world.balancer.on_result(sent.attempt, PublishResult::failed(errc::connection_lost), world.now);
  world.balancer.on_result(sent.attempt, PublishResult::failed(errc::connection_lost), world.now);
  world.lose(sent.worker);
  EXPECT_EQ(world.sent.size(), 1u);
  EXPECT_EQ(world.ledger().retried, 1u);
}

// A poison batch stops all delivery.

class APoisonBatch : public testing::TestWithParam<std::pair<std::size_t, errc>> {};

TEST_P(APoisonBatch, DoesNotStopTheDeliveryOfTheOthers) {
  const auto [workers, error] = GetParam();
  World world(workers, {.max_attempts = 4});
  const auto poison = world.publish(1, true);
  for (auto& one : world.sent) world.answer(one.attempt, PublishResult::failed(error));
  world.sent.clear();
  world.everywhere({[error = error](const Batch& batch) {
                      return batch[0] == "0.0" ? PublishResult::failed(error) : PublishResult::acked();
                    },
                    1ms});
  // Light work: a batch in 10 ms, for a quarter of an hour.
  std::size_t late = 0;
  for (int second = 0; second < 900; ++second) {
    for (int times = 0; times < 100; ++times) {
      world.publish();
      world.pass(10ms);
    }
    late += world.ledger().queued > 1;
  }
  world.pass(1min);
  EXPECT_EQ(world.heard[poison].times, 0u) << "guaranteed, so it is still on its way";
  EXPECT_EQ(world.succeeded(), 90000u);
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
  EXPECT_LE(late, 90u) << "and the others hardly waited for it";
  EXPECT_LE(world.ledger().retried, 300u);
}

INSTANTIATE_TEST_SUITE_P(Flaw, APoisonBatch,
                         testing::Values(std::pair(1, errc::temporary), std::pair(2, errc::temporary),
                                         std::pair(3, errc::temporary), std::pair(1, errc::connection_lost),
                                         std::pair(3, errc::connection_lost), std::pair(3, errc::protocol_error)),
                         [](const auto& one) {
                           return std::to_string(one.param.first) + "Workers" +
                                  (one.param.second == errc::temporary         ? "Refused"
                                   : one.param.second == errc::connection_lost ? "ThatBreaksTheConnection"
                                                                               : "ThatBreaksTheProtocol");
                         });

TEST(Flaw, ABatchThatBreaksEveryConnectionDoesNotTakeTheEndpointsOutWithIt) {
  World world(2);
  world.publish();
  const auto poison = world.take();
  world.answer(poison.attempt, PublishResult::failed(errc::protocol_error));
  const auto again = world.take();
  world.publish();  // rides behind it, over the other connection
  world.answer(again.attempt, PublishResult::failed(errc::protocol_error));
  EXPECT_EQ(world.state(again.worker), WorkerState::connected) << "the batch was at fault, not the endpoint";
  EXPECT_EQ(world.figures(again.worker).connects, 2u);
}

// Retries spin.

TEST(Flaw, AGuaranteedTemporaryFailureDoesNotSpinAndCloseIsPrompt) {
  for (const errc error : {errc::temporary, errc::connection_lost, errc::throttled}) {
    World world(3);
    world.everywhere(failing(error));
    world.publish(1, true);
    const auto wake_ups = world.wake_ups;
    world.pass(1h);
    std::uint64_t sends = 0;
    for (const auto& endpoint : world.endpoints) sends += endpoint.sends;
    EXPECT_LE(sends, 600u) << "one batch, in an hour";
    EXPECT_LE(world.wake_ups - wake_ups, 3000u);
    world.close();
    EXPECT_EQ(world.heard[0].reason, errc::closed);
  }
}

TEST(Flaw, ManyFailingBatchesDoNotSpinEither) {
  Options options{.guaranteed = true};
  options.bulk_max_events = 1;
  World world(3, options);
  world.everywhere(failing(errc::temporary));
  world.publish(1000);
  world.pass(1min);
  std::uint64_t sends = 0;
  for (const auto& endpoint : world.endpoints) sends += endpoint.sends;
  EXPECT_LE(sends, 3u * 60u);
  EXPECT_LE(world.wake_ups, 1000u);
}

TEST(Flaw, ABackoffOfNothingDoesNotSpin) {
  World world(1, {.guaranteed = true}, {.wait_retry = 0s, .max_wait_retry = 0s});
  world.connects[0] = World::OnConnect::refuse;
  world.publish();
  world.pass(1s);
  EXPECT_LE(world.connects_wanted, 20000u);
}

TEST(Flaw, AnIdleBalancerHasNothingToDo) {
  World world(3);
  world.everywhere(acknowledging());
  for (int publish = 0; publish < 10; ++publish) world.publish(10);
  EXPECT_EQ(world.balancer.next_timeout(), base::never);
}

// Each hand-over leaves something behind.

TEST(Flaw, HandOversLeaveNothingBehind) {
  World world(2);
  AttemptId highest_slot = 0;
  for (int publish = 0; publish < 100000; ++publish) {
    world.publish();
    const auto sent = world.take();
    highest_slot = std::max(highest_slot, sent.attempt & 0xffffff);
    world.answer(sent.attempt, PublishResult::acked());
  }
  EXPECT_LE(highest_slot, 3u) << "as many attempts are remembered as can be in flight";
  EXPECT_EQ(world.balancer.held_events(), 0u);
  EXPECT_EQ(world.balancer.held_bytes(), 0u);
  EXPECT_EQ(world.balancer.next_timeout(), base::never);
}

// What fails during close is never signalled; a second close crashes; close waits.

TEST(Flaw, CloseIsPromptAndTotal) {
  for (const auto on_connect : {World::OnConnect::accept, World::OnConnect::refuse, World::OnConnect::hang}) {
    Options options;
    options.bulk_max_events = 3;
    World world(3, options, {.window = 4});
    world.connects[2] = on_connect;
    for (int publish = 0; publish < 100; ++publish) world.publish(5, publish % 2 == 0);
    for (int times = 0; times < 3; ++times) world.answer(world.take().attempt, PublishResult::failed(errc::temporary));
    world.progress(world.take().attempt, 2);
    const auto in_flight = world.take();
    const base::Time closed_at = world.now;
    world.close();
    EXPECT_TRUE(world.balancer.closed());
    EXPECT_EQ(world.signalled(), 100u);
    for (const auto& one : world.heard) {
      EXPECT_EQ(one.acked + one.failed, 5u);
      EXPECT_EQ(one.at, closed_at);
    }
    world.answer(in_flight.attempt, PublishResult::failed(errc::connection_lost));
    world.close();
    world.drain(1s);
    world.pass(1h);
    EXPECT_EQ(world.ledger().queued + world.ledger().in_flight, 0u);
    EXPECT_EQ(world.balancer.held_bytes(), 0u);
    EXPECT_EQ(world.balancer.next_timeout(), base::never);
  }
}

// A slow endpoint hoards its window.

double share_of_capacity(const std::vector<base::Duration>& takes, base::Duration duration) {
  Options options;
  options.bulk_max_events = 1;
  options.queue_events = 64;  // the publisher has 64 batches under way, never more
  World world(takes.size(), options);
  double capacity = 0;
  for (std::size_t worker = 0; worker < takes.size(); ++worker) {
    world.endpoints[worker] = acknowledging(takes[worker]);
    capacity += std::chrono::duration<double>(duration) / takes[worker];
  }
  const base::Time end = world.now + duration;
  while (world.now < end) {
    while (world.balancer.held_events() < 64) world.publish();
    world.pass(1ms);
  }
  return static_cast<double>(world.ledger().acked) / capacity;
}

TEST(Flaw, ASlowEndpointDoesNotStrandTheFastOnes) {
  EXPECT_GT(share_of_capacity({10ms, 10ms, 1ms}, 30s), 0.95);
  EXPECT_GT(share_of_capacity({1s, 10ms, 10ms}, 60s), 0.95);
}

// A batch goes straight back to the client that failed it.

TEST(Flaw, AFailedBatchGoesElsewhere) {
  for (const errc error : {errc::temporary, errc::throttled, errc::connection_lost, errc::abandoned}) {
    World world(2, {.max_attempts = 0}, {.window = 64});
    base::Random random(1);
    std::map<std::string, WorkerId> failed_at;
    for (WorkerId worker = 0; worker < 2; ++worker)
      world.endpoints[worker] = {[&, worker](const Batch& batch) {
                                   const std::string event(batch[0]);
                                   const auto before = failed_at.find(event);
                                   EXPECT_TRUE(before == failed_at.end() || before->second != worker) << event;
                                   if (before == failed_at.end() && random.chance(0.3)) {
                                     failed_at[event] = worker;
                                     return PublishResult::failed(error);
                                   }
                                   return PublishResult::acked();
                                 },
                                 1ms};
    for (int publish = 0; publish < 300; ++publish) {
      world.publish();
      world.pass(1s);  // so that the other one participates again
    }
    ASSERT_TRUE(world.finish());
    EXPECT_GT(failed_at.size(), 50u);
  }
}

// Work that comes back grows without bound.

TEST(Flaw, WhatComesBackStaysWithinTheBudget) {
  Options options{.guaranteed = true};
  options.queue_events = 1000;
  options.queue_bytes = 10000;
  World world(4, options);
  world.everywhere(failing(errc::connection_lost, 1ms));
  for (int second = 0; second < 600; ++second) {
    world.publish(10);
    world.pass(1s);
    ASSERT_LE(world.ledger().queued + world.ledger().in_flight, 1000u);
    ASSERT_LE(world.balancer.held_bytes(), 10000u);
  }
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
}

// Drops are counted in batches; nothing at all is signalled as completed.

TEST(Flaw, DropsAreCountedInEvents) {
  World world(1, {.max_attempts = 1});
  world.publish(7);
  world.answer(world.take().attempt, PublishResult::acked_first(0, errc::temporary));
  EXPECT_EQ(world.dropped(errc::attempts_exhausted), 7u);
}

TEST(Flaw, AnEmptyPublishIsRefusedNotCompleted) {
  World world(1);
  const auto publish = world.publish(0);
  EXPECT_EQ(world.refusal, errc::no_events);
  EXPECT_EQ(world.heard[publish].times, 0u);
}

// An idle close by the server costs an attempt and a second.

TEST(Flaw, AnIdleCloseByTheServerCostsNoAttemptAndNoSecond) {
  World world(1, {.max_attempts = 1}, {.wait_retry = 1s});
  world.everywhere(acknowledging());
  world.publish();
  for (int minute = 0; minute < 10; ++minute) {
    world.pass(1min);
    world.lose(0);
    EXPECT_EQ(world.state(0), WorkerState::connected) << "again, at once";
    world.publish();
  }
  EXPECT_EQ(world.succeeded(), 11u);
  EXPECT_EQ(world.figures(0).failed_attempts, 0u);
}

TEST(Flaw, AServerThatClosesAfterEachAnswerIsNotTakenForAFailingOne) {
  World world(1, {.max_attempts = 1}, {.wait_retry = 1s});
  for (int publish = 0; publish < 10; ++publish) {
    world.publish();
    world.answer(world.take().attempt, PublishResult::acked());
    world.lose(0);
    EXPECT_EQ(world.state(0), WorkerState::connected);
  }
  EXPECT_EQ(world.figures(0).connects, 11u);
}

TEST(Flaw, AServerThatAcceptsAndClosesIsAFailingOne) {
  World world(1, {.max_attempts = 0}, {.wait_retry = 1s});
  world.run();
  for (int times = 0; times < 10; ++times) {
    world.lose(0);
    EXPECT_EQ(world.state(0), WorkerState::waiting);
    while (world.state(0) == WorkerState::waiting) world.pass(10ms);
  }
}

// No probe before the backoff ends; fleets come back in step.

TEST(Flaw, AnEndpointThatReturnsIsUsedWithinAQuarterOfTheTimeThatItWasAway) {
  for (const base::Duration outage : {4s, 18s, 60s, 300s, 3600s}) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      World world(std::vector<WorkerOptions>(1), {.guaranteed = true}, seed);
      world.everywhere(acknowledging());
      world.connects[0] = World::OnConnect::refuse;
      world.publish();
      world.pass(outage);
      world.connects[0] = World::OnConnect::accept;
      const base::Time back_at = world.now;
      ASSERT_TRUE(world.finish());
      EXPECT_LE(world.heard[0].at - back_at, std::min<base::Duration>(std::max<base::Duration>(1s, outage / 4), 60s));
    }
  }
}

TEST(Flaw, FleetsDoNotComeBackInStep) {
  std::set<base::Time> tries;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    World world(std::vector<WorkerOptions>(1), {.guaranteed = true}, seed);
    world.connects[0] = World::OnConnect::refuse;
    world.publish();
    world.pass(10min);
    tries.insert(world.balancer.next_timeout());
  }
  EXPECT_EQ(tries.size(), 100u);
  EXPECT_GT(*tries.rbegin() - *tries.begin(), 30s) << "they are spread over the whole backoff";
}

// The window never grows again after one failure.

TEST(Flaw, AfterAFailureTheWindowComesBackWithTheFirstSuccess) {
  Options options;
  options.bulk_max_events = 1;
  World world(1, options, {.window = 16});
  world.everywhere(acknowledging(1ms));
  world.publish(50);
  world.pass(5ms);
  world.lose(0);
  world.pass(1s);
  ASSERT_EQ(world.ledger().acked, 50u);
  world.publish(50);
  EXPECT_EQ(world.figures(0).in_flight, 16u);
}

// Failover picks the failed host again and never goes back.

World failover(std::size_t hosts, Options options = {}) {
  std::vector<WorkerOptions> workers(hosts);
  for (unsigned place = 0; place < hosts; ++place) workers[place].priority = place;
  return World(std::move(workers), options);
}

TEST(Flaw, FailoverDoesNotPickTheFailedHostWhileAnotherIsAvailable) {
  for (const errc error : {errc::temporary, errc::connection_lost}) {
    World world = failover(3);
    world.everywhere(acknowledging(1ms));
    world.endpoints[0] = failing(error);
    for (int publish = 0; publish < 1000; ++publish) {
      world.publish();
      world.pass(10ms);
    }
    ASSERT_TRUE(world.finish());
    EXPECT_EQ(world.succeeded(), 1000u);
    EXPECT_LE(world.endpoints[0].sends, 20u) << "probes, in 10 s";
    EXPECT_EQ(world.endpoints[2].sends, 0u) << "the second stands, so the third is not asked";
  }
}

TEST(Flaw, FailoverReturnsToThePreferredHostWhenItIsHealed) {
  World world = failover(2);
  world.everywhere(acknowledging(1ms));
  world.connects[0] = World::OnConnect::refuse;
  for (int publish = 0; publish < 1000; ++publish) {
    world.publish();
    world.pass(10ms);
  }
  EXPECT_EQ(world.endpoints[1].delivered, 1000u);
  world.connects[0] = World::OnConnect::accept;
  world.pass(10s);
  const auto before = world.endpoints[1].delivered;
  for (int publish = 0; publish < 1000; ++publish) {
    world.publish();
    world.pass(10ms);
  }
  EXPECT_EQ(world.endpoints[0].delivered, 1000u);
  EXPECT_EQ(world.endpoints[1].delivered, before);
  EXPECT_EQ(world.state(1), WorkerState::standby) << "not wanted any more";
}

TEST(Flaw, AFailedHostInFailoverCostsOneAttemptNotAll) {
  World world = failover(2, {.max_attempts = 2});
  world.everywhere(acknowledging(1ms));
  world.endpoints[0] = failing(errc::connection_lost);
  world.publish(10);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.succeeded(), 1u);
}

// A publish that is split hears only of its last part.

TEST(Flaw, APublishThatIsSplitHearsOfAllItsParts) {
  Options options{.max_attempts = 1};
  options.bulk_max_events = 2;
  std::vector<int> order{0, 1, 2};
  do {
    World world(1, options, {.window = 3});
    const auto publish = world.publish(6);
    const World::Sent parts[] = {world.take(), world.take(), world.take()};
    for (const int part : order) {
      ASSERT_EQ(world.heard[publish].times, 0u);
      world.answer(parts[part].attempt, part == 1 ? PublishResult::failed(errc::temporary) : PublishResult::acked());
    }
    ASSERT_EQ(world.heard[publish].times, 1u);
    EXPECT_EQ(world.heard[publish].reason, errc::attempts_exhausted) << "whichever part came last";
    EXPECT_EQ(world.heard[publish].acked, 4u);
    EXPECT_EQ(world.heard[publish].failed, 2u);
  } while (std::next_permutation(order.begin(), order.end()));
}

// Keep-alives hold a batch forever.

TEST(Flaw, AnEndpointThatSendsKeepAlivesOnlyIsLeftBehindAtTheProgressDeadline) {
  World world(2, {.max_attempts = 4, .timeout = 30s, .progress_timeout = 2min});
  world.endpoints[0] = silent();
  world.endpoints[1] = acknowledging(1ms);
  for (int second = 0; second < 600; ++second) {
    world.publish();
    if (world.state(0) == WorkerState::connected) world.alive(0);
    world.pass(1s);
  }
  world.pass(3min);
  EXPECT_EQ(world.succeeded(), 600u);
  EXPECT_LE(world.endpoints[0].sends, 8u) << "two batches at first, one at a time after that";
}

// No byte limits, no figures by endpoint.

TEST(Flaw, BatchesAreLimitedInBytes) {
  Options options;
  options.bulk_max_bytes = 100;
  World world(1, options, {.window = 1});
  world.everywhere({[](const Batch& batch) {
                      EXPECT_LE(batch.bytes(), 100u);
                      return PublishResult::acked();
                    },
                    1ms});
  for (std::size_t size = 1; size <= 100; ++size) world.publish_sizes({size, 101 - size});
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.succeeded(), 100u);
}

TEST(Flaw, EachEndpointHasItsFigures) {
  Options options;
  options.bulk_max_events = 1;
  World world({{.endpoint = "near"}, {.endpoint = "far"}}, options);
  world.endpoints = {acknowledging(1ms), acknowledging(100ms)};
  world.publish(1000);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.figures(0).endpoint, "near");
  EXPECT_EQ(world.figures(1).endpoint, "far");
  EXPECT_EQ(world.figures(0).acked + world.figures(1).acked, 1000u);
  EXPECT_EQ(world.figures(0).batches, world.endpoints[0].sends);
  EXPECT_NEAR(static_cast<double>(world.figures(0).latency.p50.count()), 2e6, 2e5) << "two in flight";
  EXPECT_NEAR(static_cast<double>(world.figures(1).latency.p50.count()), 2e8, 2e7);
}

}  // namespace
}  // namespace windlass::core
