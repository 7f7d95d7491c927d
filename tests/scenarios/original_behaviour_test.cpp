// How the balancer that we carry on behaves: what its users rely on, point by point.

#include "core/world.h"

namespace windlass::core {
namespace {

TEST(OriginalBehaviour, ZeroAttemptsMeanWithoutEnd) {
  World world(1, {.max_attempts = 0});
  world.everywhere(failing_first(100, errc::connection_lost));
  const auto publish = world.publish();
  ASSERT_TRUE(world.finish());
  EXPECT_FALSE(world.heard[publish].reason);
  EXPECT_EQ(world.endpoints[0].sends, 101u);
}

TEST(OriginalBehaviour, AConnectThatFailsIsTriedAgainAfterTheBackoff) {
  World world(1, {.max_attempts = 0}, {.wait_retry = 16s, .max_wait_retry = 16s});
  world.connects[0] = World::OnConnect::refuse;
  world.run();
  ASSERT_EQ(world.connects_wanted, 1u);
  EXPECT_EQ(world.state(0), WorkerState::waiting);
  world.pass(999ms);
  EXPECT_EQ(world.connects_wanted, 1u);
  world.pass(15s + 1ms);
  EXPECT_GE(world.connects_wanted, 2u);
}

TEST(OriginalBehaviour, AConnectIsGivenUpAfterTheTimeout) {
  World world(1, {.timeout = 5s}, {.wait_retry = 1s, .max_wait_retry = 1s});
  world.connects[0] = World::OnConnect::hang;
  world.run();
  world.pass(4999ms);
  EXPECT_EQ(world.state(0), WorkerState::connecting);
  world.pass(1ms);
  EXPECT_EQ(world.state(0), WorkerState::waiting);
  EXPECT_EQ(world.figures(0).last_error, errc::timeout);
  world.pass(1s);
  EXPECT_EQ(world.state(0), WorkerState::connecting);
}

TEST(OriginalBehaviour, RetriesGoBeforeNewWork) {
  World world(2, {}, {.window = 1});
  world.publish();
  world.publish();
  const auto failed = world.take();
  const auto other = world.take();
  for (int event = 0; event < 5; ++event) world.publish();
  world.answer(failed.attempt, PublishResult::failed(errc::temporary));
  world.answer(other.attempt, PublishResult::acked());
  EXPECT_EQ(world.take().batch[0], failed.batch[0]);
}

TEST(OriginalBehaviour, RetriesKeepTheirOrder) {
  World world(2, {}, {.window = 3});
  for (int event = 0; event < 6; ++event) world.publish();
  std::vector<std::string> lost;
  for (int event = 0; event < 3; ++event) lost.emplace_back(world.take_from(0).batch[0]);
  std::vector<World::Sent> other;
  for (int event = 0; event < 3; ++event) other.push_back(world.take_from(1));
  world.connects[0] = World::OnConnect::hang;
  world.lose(0);
  for (int event = 0; event < 3; ++event) {
    world.answer(other[event].attempt, PublishResult::acked());
    EXPECT_EQ(world.take().batch[0], lost[event]);
  }
}

TEST(OriginalBehaviour, ASuccessResetsTheBackoff) {
  World world(1, {.max_attempts = 0}, {.wait_retry = 1s, .max_wait_retry = 60s});
  world.everywhere(failing(errc::temporary));
  world.publish();
  world.pass(1h);
  EXPECT_EQ(world.figures(0).window, 1u) << "known to be failing";
  world.everywhere(acknowledging());
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.figures(0).window, 2u);
  world.everywhere(failing_first(1, errc::temporary));
  world.publish();
  world.pass(1s);
  EXPECT_EQ(world.succeeded(), 2u) << "the next failure waits for a second again, not for a minute";
}

TEST(OriginalBehaviour, AFailureClosesTheConnectionWhereItSaysSo) {
  World world(1, {}, {.wait_retry = 1s, .max_wait_retry = 1s});
  world.everywhere(failing_first(1, errc::connection_lost));
  world.publish();
  EXPECT_EQ(world.state(0), WorkerState::waiting);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.figures(0).connects, 2u);
  EXPECT_EQ(world.succeeded(), 1u);
}

TEST(OriginalBehaviour, AGuaranteedPublishNeverRunsOutOfAttempts) {
  World world(1, {.max_attempts = 1});
  world.everywhere(failing_first(20, errc::temporary));
  const auto publish = world.publish(1, true);
  ASSERT_TRUE(world.finish());
  EXPECT_FALSE(world.heard[publish].reason);
}

TEST(OriginalBehaviour, OneAttemptLessForEachExpiredTimeoutAndForEachFailedPublish) {
  World world(1, {.max_attempts = 3, .timeout = 10s}, {.wait_retry = 1s, .max_wait_retry = 1s});
  world.connects[0] = World::OnConnect::hang;
  const auto publish = world.publish();
  world.pass(9s);
  world.accept(0);
  world.answer(world.take().attempt, PublishResult::failed(errc::temporary));  // the first
  world.connects[0] = World::OnConnect::refuse;
  world.lose(0);
  world.pass(10s);  // the second
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.connects[0] = World::OnConnect::accept;
  world.pass(1s);
  world.answer(world.take().attempt, PublishResult::failed(errc::temporary));  // the third
  EXPECT_EQ(world.heard[publish].reason, errc::attempts_exhausted);
}

TEST(OriginalBehaviour, EveryWaitIsChargedWhenItsOwnTimeIsOver) {
  World world(1, {.max_attempts = 2, .timeout = 30s});
  world.connects[0] = World::OnConnect::refuse;
  const base::Time begin = world.now;
  world.publish();
  world.pass(10s);
  world.publish();
  world.pass(10s);
  world.publish();
  world.pass(5min);
  for (std::size_t publish = 0; publish < 3; ++publish)
    EXPECT_EQ(world.heard[publish].at - begin, publish * 10s + 60s) << "publish " << publish;
}

TEST(OriginalBehaviour, NoneLeftAtHandBackMeansDroppedAndSignalledFailed) {
  World world(2, {.max_attempts = 1});
  const auto publish = world.publish(3);
  world.answer(world.take().attempt, PublishResult::failed(errc::temporary));
  EXPECT_EQ(world.heard[publish].times, 1u);
  EXPECT_EQ(world.heard[publish].reason, errc::attempts_exhausted);
  EXPECT_TRUE(world.sent.empty());
}

TEST(OriginalBehaviour, ARetryCarriesOnlyTheUnpublishedRest) {
  World world(2);
  world.publish(5);
  world.answer(world.take().attempt, PublishResult::acked_first(3, errc::connection_lost));
  const auto again = world.take();
  ASSERT_EQ(again.batch.size(), 2u);
  EXPECT_EQ(again.batch[0], "0.3");
  EXPECT_EQ(again.batch[1], "0.4");
}

TEST(OriginalBehaviour, ATemporaryFailureIsRetriedAtTheSameClientWhereItIsTheOnlyOne) {
  World world(1);
  world.publish();
  world.answer(world.take().attempt, PublishResult::failed(errc::temporary));
  world.pass(1s);
  EXPECT_EQ(world.take().worker, 0u);
  EXPECT_EQ(world.figures(0).connects, 1u) << "over the same connection";
}

TEST(OriginalBehaviour, ATemporaryFailureGoesBackToTheQueueForAnother) {
  World world(2);
  world.publish();
  const auto failed = world.take();
  world.answer(failed.attempt, PublishResult::failed(errc::temporary));
  EXPECT_NE(world.take().worker, failed.worker);
}

TEST(OriginalBehaviour, AClientThatHandsBackARestWithoutAnErrorCostsNoAttempt) {
  World world(1, {.max_attempts = 1});
  const auto publish = world.publish(10);
  for (std::size_t left = 10; left > 1; --left) {
    const auto sent = world.take();
    ASSERT_EQ(sent.batch.size(), left);
    world.answer(sent.attempt, PublishResult::acked_first(1, {}));
  }
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].acked, 10u);
}

TEST(OriginalBehaviour, TheConnectBackoffGrowsWithTheOutageUpToItsMost) {
  // The bounds, over many seeds: longest waits of about a quarter of the time away, and of a minute at most.
  base::Duration longest_early{0};
  base::Duration longest_late{0};
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    World world(std::vector<WorkerOptions>(1), {.max_attempts = 0}, seed);
    world.connects[0] = World::OnConnect::refuse;
    const base::Time begin = world.now;
    world.run();
    while (world.now < begin + 1h) {
      const base::Time next = world.balancer.next_timeout();
      base::Duration& longest = world.now - begin < 20s ? longest_early : longest_late;
      longest = std::max(longest, next - world.now);
      world.pass(next - world.now);
    }
  }
  EXPECT_LE(longest_early, 5s);
  EXPECT_GT(longest_early, 1s);
  EXPECT_LE(longest_late, 60s);
  EXPECT_GT(longest_late, 50s);
}

TEST(OriginalBehaviour, FailoverSticksToItsChoiceUntilThatFails) {
  std::vector<WorkerOptions> workers(2);
  workers[1].priority = 1;
  World world(workers);
  world.everywhere(acknowledging(1ms));
  for (int event = 0; event < 1000; ++event) {
    world.publish();
    world.pass(100us);
  }
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.endpoints[0].delivered, 1000u);
  EXPECT_EQ(world.figures(1).connects, 0u);
}

TEST(OriginalBehaviour, FailoverTriesAnotherAfterAFailedConnect) {
  std::vector<WorkerOptions> workers(3);
  for (unsigned place = 0; place < 3; ++place) workers[place].priority = place;
  World world(workers);
  world.connects = {World::OnConnect::refuse, World::OnConnect::refuse, World::OnConnect::accept};
  world.publish();
  EXPECT_EQ(world.take().worker, 2u) << "at once";
}

TEST(OriginalBehaviour, CloseTellsPublishersWhoseEventsWait) {
  World world(1, {}, {.window = 1});
  for (int event = 0; event < 3; ++event) world.publish();
  world.close();
  for (const auto& one : world.heard) EXPECT_EQ(one.reason, errc::closed);
}

TEST(OriginalBehaviour, CloseInterruptsAConnectThatIsUnderWay) {
  World world(1);
  world.connects[0] = World::OnConnect::hang;
  world.run();
  EXPECT_EQ(world.state(0), WorkerState::connecting);
  world.close();
  EXPECT_EQ(world.state(0), WorkerState::standby);
  EXPECT_EQ(world.balancer.next_timeout(), base::never);
}

TEST(OriginalBehaviour, ConnectionsAreReplacedAfterTheirTimeToLive) {
  World world(1, {}, {.ttl = 30s});
  world.everywhere(acknowledging());
  world.run();
  world.pass(5min);
  EXPECT_EQ(world.figures(0).connects, 11u);
}

}  // namespace
}  // namespace windlass::core
