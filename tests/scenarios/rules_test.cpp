// The rules of delivery, one by one.

#include "core/world.h"

namespace windlass::core {
namespace {

// 1. Accept or refuse at once.

TEST(Rule1, APublishIsRefusedAtOnceWhenItFindsNoRoom) {
  Options options;
  options.queue_events = 10;
  World world(1, options);
  world.publish(8);
  EXPECT_FALSE(world.refusal);
  const auto refused = world.publish(3);
  EXPECT_EQ(world.refusal, errc::queue_full);
  world.publish(2);
  EXPECT_FALSE(world.refusal) << "what still fits is welcome";
  EXPECT_EQ(world.ledger().accepted, 10u);
  EXPECT_EQ(world.ledger().refused, 3u);
  world.close();
  EXPECT_EQ(world.heard[refused].times, 0u) << "a refused publish has no signal";
}

TEST(Rule1, TheBudgetInBytesCountsToo) {
  Options options;
  options.queue_bytes = 100;
  World world(1, options);
  world.publish_sizes({50, 40});
  EXPECT_FALSE(world.refusal);
  world.publish_sizes({11});
  EXPECT_EQ(world.refusal, errc::queue_full);
  world.publish_sizes({101});
  EXPECT_EQ(world.refusal, errc::too_large) << "waiting would not help";
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(world.balancer.held_bytes(), 0u);
  world.publish_sizes({11});
  EXPECT_FALSE(world.refusal);
}

TEST(Rule1, RoomComesBackWithEachEventThatIsSettled) {
  Options options;
  options.queue_events = 4;
  World world(1, options);
  world.publish(4);
  const auto sent = world.take();
  world.publish();
  EXPECT_EQ(world.refusal, errc::queue_full);
  world.progress(sent.attempt, 1);
  world.publish();
  EXPECT_FALSE(world.refusal);
}

TEST(Rule1, ARefusedPublishIsToldWhy) {
  Options options;
  options.queue_events = 4;
  World world(1, options);
  world.publish(0);
  EXPECT_EQ(world.refusal, errc::no_events);
  world.publish(5);
  EXPECT_EQ(world.refusal, errc::too_large);
  world.close();
  world.publish();
  EXPECT_EQ(world.refusal, errc::closed);
  EXPECT_EQ(world.ledger().accepted, 0u);
}

// 2. Exactly one signal, and none after close.

TEST(Rule2, EachAcceptedPublishGetsExactlyOneSignal) {
  Options options{.max_attempts = 2};
  options.bulk_max_events = 7;
  World world(3, options);
  base::Random random(7);
  world.everywhere(
      {[&](const Batch& batch) {
         const auto count = static_cast<std::uint32_t>(batch.size());
         switch (random.below(4)) {
           case 0:
             return PublishResult::failed(errc::temporary);
           case 1:
             return PublishResult::acked_first(static_cast<std::uint32_t>(random.below(count)), errc::throttled);
           case 2:
             return PublishResult::returned({{static_cast<std::uint32_t>(random.below(count)), errc::rejected}});
           default:
             return PublishResult::acked();
         }
       },
       1ms});
  for (int publish = 0; publish < 500; ++publish) {
    if (publish % 2 == 0) world.publish(1 + random.below(20));
    if (publish % 2 == 1) world.publish_each(1 + random.below(20));
    world.pass(1ms);
  }
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.signalled(), world.heard.size());
  world.close();
  for (const auto& one : world.heard) ASSERT_EQ(one.times, 1u);
}

TEST(Rule2, NothingIsSignalledAfterClose) {
  World world(1);
  world.publish();
  world.publish();
  const auto first = world.take();
  const auto second = world.take();
  world.answer(first.attempt, PublishResult::acked());
  world.close();
  EXPECT_EQ(world.heard[1].reason, errc::closed);
  world.answer(second.attempt, PublishResult::acked());
  world.lose(0);
  world.close();
  world.drain(1s);
  world.pass(1h);
  EXPECT_EQ(world.heard[0].times, 1u);
  EXPECT_EQ(world.heard[1].times, 1u);
  EXPECT_EQ(world.heard[1].reason, errc::closed);
}

// 3. Acked means acknowledged, event by event.

TEST(Rule3, AckedMeansThatAnEndpointAcknowledgedEveryEvent) {
  Options options;
  options.bulk_max_events = 2;
  World world(1, options, {.window = 3});
  const auto publish = world.publish(6);
  const auto first = world.take();
  const auto second = world.take();
  const auto third = world.take();
  world.answer(second.attempt, PublishResult::acked());
  world.answer(third.attempt, PublishResult::acked());
  world.progress(first.attempt, 1);
  EXPECT_EQ(world.heard[publish].times, 0u) << "five of six are not all";
  world.progress(first.attempt, 2);
  EXPECT_EQ(world.heard[publish].times, 1u);
  EXPECT_EQ(world.heard[publish].acked, 6u);
}

TEST(Rule3, OutcomesAreByEventNotOnlyByPrefix) {
  World world(1, {.max_attempts = 1});
  const auto publish = world.publish_each(5);
  world.answer(world.take().attempt, PublishResult::returned({{0, errc::rejected}, {2, {}}, {3, errc::rejected}}));
  EXPECT_EQ(world.heard[publish + 0].reason, errc::rejected);
  EXPECT_FALSE(world.heard[publish + 1].reason);
  EXPECT_EQ(world.heard[publish + 1].times, 1u);
  EXPECT_EQ(world.heard[publish + 2].times, 0u) << "handed back, so still on its way";
  EXPECT_EQ(world.heard[publish + 3].reason, errc::rejected);
  EXPECT_EQ(world.heard[publish + 4].times, 1u);
  const auto rest = world.take();
  ASSERT_EQ(rest.batch.size(), 1u);
  EXPECT_EQ(rest.batch[0], "0.2");
}

TEST(Rule3, APartialAckCompletesThatPartOnly) {
  World world(2);
  const auto publish = world.publish_each(4);
  const auto sent = world.take();
  world.progress(sent.attempt, 3);
  world.lose(sent.worker);
  for (std::size_t event = 0; event < 3; ++event) EXPECT_EQ(world.heard[publish + event].times, 1u);
  EXPECT_EQ(world.heard[publish + 3].times, 0u);
  const auto rest = world.take();
  ASSERT_EQ(rest.batch.size(), 1u) << "what was acknowledged is not sent again";
  EXPECT_EQ(rest.batch[0], "0.3");
}

// 4. One live attempt.

TEST(Rule4, ALateAnswerToADeadAttemptChangesNothing) {
  World world(2);
  const auto publish = world.publish(3);
  const auto dead = world.take();
  world.lose(dead.worker);
  const auto live = world.take();
  EXPECT_NE(dead.attempt, live.attempt);
  world.answer(dead.attempt, PublishResult::acked());
  world.progress(dead.attempt, 2);
  world.answer(dead.attempt, PublishResult::failed(errc::temporary));
  EXPECT_EQ(world.heard[publish].times, 0u);
  EXPECT_EQ(world.ledger().in_flight, 3u);
  EXPECT_TRUE(world.sent.empty()) << "it was not sent a third time either";
  world.answer(live.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].acked, 3u);
}

// 5. What an attempt is spent by.

TEST(Rule5, AFailedSendAndAnExpiredWaitSpendAnAttemptEach) {
  World world(1, {.max_attempts = 3, .timeout = 30s}, {.wait_retry = 1h, .max_wait_retry = 1h});
  const auto publish = world.publish();
  world.answer(world.take().attempt, PublishResult::failed(errc::temporary));
  EXPECT_EQ(world.state(0), WorkerState::resting);
  world.pass(59s);
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.pass(1s);
  EXPECT_EQ(world.heard[publish].reason, errc::no_worker);
}

TEST(Rule5, ADrainSpendsNoAttempt) {
  World world(1, {.max_attempts = 1});
  const auto publish = world.publish();
  world.drain(10s);
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_FALSE(world.heard[publish].reason);
  EXPECT_TRUE(world.balancer.closed());
}

TEST(Rule5, ARotationOfTheConnectionSpendsNoAttempt) {
  Options options{.max_attempts = 1};
  World world(1, options, {.ttl = 1min});
  world.everywhere(acknowledging(7s));
  for (int event = 0; event < 200; ++event) {
    world.publish();
    world.pass(7s);
  }
  ASSERT_TRUE(world.finish());
  EXPECT_GE(world.figures(0).connects, 20u);
  EXPECT_EQ(world.succeeded(), 200u);
  EXPECT_EQ(world.ledger().retried, 0u);
}

TEST(Rule5, AShutdownSpendsNoAttemptButSaysThatItWasOne) {
  World world(1, {.max_attempts = 1});
  const auto publish = world.publish();
  world.close();
  EXPECT_EQ(world.heard[publish].reason, errc::closed);
  EXPECT_EQ(world.dropped(errc::closed), 1u);
  EXPECT_EQ(world.dropped(errc::attempts_exhausted), 0u);
}

TEST(Rule5, ARestThatIsHandedBackWithoutAnErrorSpendsNoAttempt) {
  World world(1, {.max_attempts = 1, .timeout = 30s}, {.max_wait_retry = 10s});
  const auto publish = world.publish();
  for (int time = 0; time < 100; ++time) {
    world.answer(world.take().attempt, PublishResult::returned({{0, {}}}));
    world.pass(10s);
  }
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_FALSE(world.heard[publish].reason);
}

// 6. Limits.

TEST(Rule6, InFlightNeverExceedsTheWindow) {
  std::vector<WorkerOptions> workers(3);
  for (unsigned worker = 0; worker < 3; ++worker) workers[worker].window = worker + 1;
  World world(workers);
  for (int event = 0; event < 50; ++event) world.publish();
  ASSERT_EQ(world.sent.size(), 6u);
  std::map<WorkerId, int> in_flight;
  for (const auto& one : world.sent) ++in_flight[one.worker];
  EXPECT_EQ(in_flight, (std::map<WorkerId, int>{{0, 1}, {1, 2}, {2, 3}}));
}

TEST(Rule6, QueuesNeverExceedTheirLimitsWhateverComesBack) {
  Options options;
  options.queue_events = 64;
  World world(2, options);
  base::Random random(3);
  world.everywhere(failing_first(200, errc::temporary, 1ms));
  for (int publish = 0; publish < 2000; ++publish) {
    world.publish(1 + random.below(8), true);
    world.pass(1ms);
    ASSERT_LE(world.balancer.held_events(), 64u);
    if (publish % 100 == 0) world.lose(static_cast<WorkerId>(random.below(2)));
  }
  EXPECT_GT(world.ledger().refused, 0u);
}

// 7. A worker that failed leaves the pool.

TEST(Rule7, AWorkerThatFailedLeavesThePoolForItsBackoffEvenIfItsConnectionStands) {
  World world(1, {.max_attempts = 0}, {.wait_retry = 16s, .max_wait_retry = 60s});
  world.publish();
  world.answer(world.take().attempt, PublishResult::failed(errc::temporary));
  EXPECT_EQ(world.state(0), WorkerState::resting);
  world.pass(999ms);
  EXPECT_TRUE(world.sent.empty()) << "a sixteenth of the backoff at the least";
  world.pass(15s + 1ms);
  EXPECT_EQ(world.sent.size(), 1u) << "all of it at the most";
  EXPECT_EQ(world.connects_wanted, 1u);
}

TEST(Rule7, ASuccessNotAMereConnectResetsTheBackoff) {
  const auto longest_rest_after = [](bool success) {
    base::Duration longest{0};
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      World world({{.wait_retry = 1s, .max_wait_retry = 10min}}, {.max_attempts = 0}, seed);
      world.connects[0] = World::OnConnect::refuse;
      world.publish();
      world.pass(1h);
      world.connects[0] = World::OnConnect::accept;
      while (world.sent.empty()) world.pass(1s);
      if (success) {
        world.answer(world.take().attempt, PublishResult::acked());
        world.publish();
      }
      world.take();
      world.lose(0);
      const base::Time lost_at = world.now;
      while (world.sent.empty()) world.pass(100ms);
      longest = std::max(longest, world.now - lost_at);
    }
    return longest;
  };
  EXPECT_LE(longest_rest_after(true), 1100ms);
  EXPECT_GT(longest_rest_after(false), 5min);
}

TEST(Rule7, AnEndpointThatFailsFastDrawsNoWork) {
  Options options;
  options.bulk_max_events = 1;
  World world(3, options);
  world.everywhere(acknowledging(1ms));
  world.endpoints[1] = failing(errc::temporary);
  world.publish(20000);
  world.pass(10s);
  EXPECT_EQ(world.ledger().acked, 20000u);
  EXPECT_LE(world.endpoints[1].sends, 40u) << "one try in each backoff";
}

TEST(Rule7, AWorkerThatFailedProvesItselfWithOneBatchAtATime) {
  Options options{.max_attempts = 0};
  options.bulk_max_events = 1;
  World world(2, options, {.window = 8});
  world.publish(24);
  world.sent.clear();
  world.lose(0);
  world.pass(2s);
  EXPECT_EQ(world.figures(0).window, 1u);
  EXPECT_EQ(world.figures(0).in_flight, 1u) << "though much more waits";
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(world.figures(0).window, 8u);
  EXPECT_EQ(world.figures(0).in_flight, 7u) << "all the new work; what it failed is left to the other";
}

// 8. A permanent rejection touches only what was rejected.

TEST(Rule8, APermanentRejectionOfSomeEventsTouchesOnlyThose) {
  World world(1, {.dead_letter = true});
  const auto publish = world.publish_each(4);
  world.answer(world.take().attempt, PublishResult::returned({{2, errc::rejected}}));
  for (std::size_t event = 0; event < 4; ++event)
    EXPECT_EQ(world.heard[publish + event].reason, event == 2 ? make_error_code(errc::rejected) : std::error_code());
  EXPECT_EQ(world.dead_letters.size(), 1u);
  world.publish();
  EXPECT_EQ(world.sent.size(), 1u) << "the endpoint is fine, and goes on at once";
}

TEST(Rule8, RejectedEventsAreDroppedWithTheReasonWhereThereIsNoDeadLetter) {
  World world(1);
  world.publish(4);
  world.answer(world.take().attempt, PublishResult::acked_first(1, errc::rejected));
  EXPECT_TRUE(world.dead_letters.empty());
  EXPECT_EQ(world.dropped(errc::rejected), 3u);
  EXPECT_EQ(world.heard[0].acked, 1u);
  EXPECT_EQ(world.heard[0].failed, 3u);
}

// 9. Nobody idles beside a queue.

TEST(Rule9, WhileWorkWaitsAWorkerWithRoomIsDrawing) {
  World world(4, {}, {.ttl = 50ms, .window = 3});
  base::Random random(5);
  for (auto& endpoint : world.endpoints) endpoint = acknowledging(1ms + base::Duration(random.below(5'000'000)));
  for (int step = 0; step < 3000; ++step) {
    world.publish(1 + random.below(3));
    world.connects[random.below(4)] = static_cast<World::OnConnect>(random.below(2));
    world.pass(base::Duration(random.below(1'000'000)));
    const Statistics seen = world.balancer.statistics(world.now);
    for (const auto& worker : seen.workers) {
      const bool has_room = worker.state == WorkerState::connected && worker.in_flight == 0;
      ASSERT_FALSE(has_room && seen.ledger.queued > 0) << "an idle worker beside a queue, in step " << step;
    }
  }
  EXPECT_GE(world.figures(0).connects, 3u);
}

TEST(Rule9, AnIdleWorkerTakesWhatThereIsAtOnce) {
  World world(1, {}, {.window = 1});
  world.publish();
  EXPECT_EQ(world.take().at, world.now) << "one event does not wait for company";
}

// 10. Liveness.

TEST(Rule10, OnceFaultsEndEverythingAcceptedReachesASignalInBoundedTime) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    World world(std::vector<WorkerOptions>(3), {.guaranteed = true}, seed);
    base::Random random(seed);
    world.everywhere({[&](const Batch&) -> std::optional<PublishResult> {
                        if (random.chance(0.3)) return std::nullopt;
                        return PublishResult::failed(random.chance(0.5) ? errc::temporary : errc::connection_lost);
                      },
                      5ms});
    for (int minute = 0; minute < 30; ++minute) {
      world.publish(1 + random.below(100));
      world.connects[random.below(3)] = static_cast<World::OnConnect>(random.below(3));
      world.pass(1min);
    }
    EXPECT_EQ(world.succeeded(), 0u);
    world.connects.assign(3, World::OnConnect::accept);
    for (auto& endpoint : world.endpoints) endpoint.answer = acknowledging().answer;
    // Half an hour of outage: a quarter of it, at most a minute, is the longest wait; a silence lasts for 30 s.
    world.pass(100s);
    EXPECT_EQ(world.succeeded(), 30u);
  }
}

TEST(Rule10, APeersKeepAliveProvesThatItLivesNotThatItGetsAnywhere) {
  World world(2, {.timeout = 30s, .progress_timeout = 5min});
  world.publish(3);
  const auto stuck = world.take();
  for (int second = 0; second < 295; second += 5) {
    world.alive(stuck.worker);
    world.pass(5s);
  }
  ASSERT_TRUE(world.sent.empty()) << "alive: it has its five minutes";
  world.alive(stuck.worker);
  world.pass(5s);
  const auto again = world.take();
  EXPECT_NE(again.worker, stuck.worker);
  EXPECT_EQ(world.figures(stuck.worker).last_error, errc::no_progress);
}

TEST(Rule10, SilenceEndsAConnectionSoonerThanMereKeepAlives) {
  World world(2, {.timeout = 30s, .progress_timeout = 5min});
  world.publish();
  const auto stuck = world.take();
  world.pass(30s);
  EXPECT_NE(world.take().worker, stuck.worker);
  EXPECT_EQ(world.figures(stuck.worker).last_error, errc::timeout);
}

TEST(Rule10, TheAcksOfOtherBatchesAreNoProgressOfTheOneThatIsStuck) {
  Options options{.timeout = 30s, .progress_timeout = 5min};
  options.bulk_max_events = 1;
  World world(2, options);
  world.connects[1] = World::OnConnect::hang;
  const auto publish = world.publish();
  const auto stuck = world.take();
  // An endpoint that answers out of order, and has forgotten one batch.
  for (int second = 0; second < 300; second += 10) {
    world.publish();
    world.answer(world.take().attempt, PublishResult::acked());
    world.pass(10s);
  }
  EXPECT_EQ(world.figures(stuck.worker).last_error, errc::no_progress);
  world.pass(1s);
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].acked, 1u);
}

}  // namespace
}  // namespace windlass::core
