// Workers that join and leave while work goes on, and connections that are replaced.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/earliest_finish.h"
#include "core/world.h"

namespace windlass::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ChangingSets, AWorkerThatJoinsDraws) {
  World world(1, {.bulk_max_events = 1}, {.window = 1});
  world.publish_each(2);
  EXPECT_THAT(world.sent, SizeIs(1));
  const WorkerId second = world.join({.window = 1});
  ASSERT_THAT(world.sent, SizeIs(2));
  EXPECT_EQ(world.sent[1].worker, second);
}

TEST(ChangingSets, ABalancerMayBeginWithoutWorkers) {
  World world(0);
  const auto publish = world.publish();
  world.join();
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].acked, 1u);
}

TEST(ChangingSets, AWorkerWithoutWorkLeavesAtOnce) {
  World world(2);
  world.remove(0);
  EXPECT_THAT(world.left, ElementsAre(0u));
  world.publish();
  EXPECT_EQ(world.take().worker, 1u);
}

TEST(ChangingSets, AWorkerThatLeavesDrawsNothingAndFinishesWhatItHas) {
  World world(1, {.bulk_max_events = 1}, {.window = 2});
  world.publish_each(5);
  const auto first = world.take();
  const auto second = world.take();
  world.remove(0);
  world.answer(first.attempt, PublishResult::acked());
  EXPECT_THAT(world.sent, IsEmpty());
  EXPECT_THAT(world.left, IsEmpty()) << "the second one is still under way";
  world.answer(second.attempt, PublishResult::acked());
  EXPECT_THAT(world.left, ElementsAre(0u));
  EXPECT_EQ(world.ledger().acked, 2u);
  EXPECT_EQ(world.ledger().queued, 3u) << "work waits while nobody is there";
  world.join();
  EXPECT_THAT(world.sent, SizeIs(2));
}

TEST(ChangingSets, WhatALeavingWorkerDoesNotFinishInTimeGoesElsewhereAndHasSpentNoAttempt) {
  World world(1, {.max_attempts = 1});
  const auto publish = world.publish(3);
  const auto sent = world.take();
  world.progress(sent.attempt, 1);
  world.remove(0, 5s);
  world.pass(5s - 1ns);
  EXPECT_THAT(world.left, IsEmpty());
  world.pass(1ns);
  EXPECT_THAT(world.left, ElementsAre(0u));
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.join();
  const auto again = world.take();
  EXPECT_THAT(again.batch, SizeIs(2)) << "what was acknowledged is not sent again";
  world.answer(sent.attempt, PublishResult::failed(errc::temporary));
  world.answer(again.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].acked, 3u);
}

TEST(ChangingSets, WhatALeavingWorkerDoesNotFinishMayGoToAnyOtherSinceNobodyFailedIt) {
  World world(2, {.bulk_max_events = 1}, {.window = 1});
  world.publish_each(3);
  const auto first = world.take();
  const auto second = world.take();
  ASSERT_EQ(second.worker, 1u);
  const std::string taken_back(*second.batch.begin());
  world.remove(1, 5s);
  world.pass(5s);
  world.answer(first.attempt, PublishResult::acked());
  EXPECT_EQ(*world.take().batch.begin(), taken_back) << "ahead of new work";
}

TEST(ChangingSets, ALeavingWorkerThatFailsFailsAsAnyOther) {
  World world(2, {.max_attempts = 1});
  const auto publish = world.publish();
  const auto sent = world.take();
  world.remove(sent.worker);
  world.lose(sent.worker);
  EXPECT_EQ(world.heard[publish].reason, errc::attempts_exhausted);
  EXPECT_THAT(world.left, ElementsAre(sent.worker)) << "and does not come back";
}

TEST(ChangingSets, AWorkerLeavesFromWhateverItIsDoing) {
  World world(4, {}, {.wait_retry = 1min, .window = 1});
  world.connects = {World::OnConnect::hang, World::OnConnect::refuse, World::OnConnect::accept,
                    World::OnConnect::accept};
  world.run();
  world.publish(1);
  const auto sent = world.take();
  world.answer(sent.attempt, PublishResult::failed(errc::temporary));  // it rests, and the other one is sent it
  for (WorkerId worker = 0; worker < 4; ++worker) world.remove(worker, 0s);
  world.pass(0s);
  EXPECT_THAT(world.left, testing::UnorderedElementsAre(0u, 1u, 2u, 3u));
  EXPECT_EQ(world.balancer.next_timeout(), world.now + 3 * 30s) << "only work that waits";
}

TEST(ChangingSets, AnIdIsUsedAgainWithConnectionsOfHigherNumbers) {
  World world(2);
  world.run();
  const ConnectionId old = world.connection[0];
  world.remove(0);
  EXPECT_EQ(world.join(), 0u);
  EXPECT_GT(world.connection[0].number, old.number);
  world.balancer.on_lost(old, errc::connection_lost, world.now);
  world.balancer.on_disconnected(old, world.now);
  world.run();
  EXPECT_EQ(world.state(0), WorkerState::connected);
  EXPECT_EQ(world.join(), 2u) << "no other one has left";
}

TEST(ChangingSets, AnIdIsNotUsedAgainBeforeItWasSaidThatItsWorkerLeft) {
  World world(1);
  world.run();
  world.balancer.remove_worker(0, world.now, world.now);
  EXPECT_EQ(world.join(), 1u);
  EXPECT_EQ(world.join(), 0u);
}

TEST(ChangingSets, TheFiguresOfAnEndpointOutliveItsWorkers) {
  World world({{.endpoint = "a"}, {.endpoint = "a"}, {.endpoint = "b"}});
  world.everywhere(acknowledging());
  world.publish(7);
  const auto acked = [&](const char* endpoint) {
    std::uint64_t sum = 0;
    for (const auto& worker : world.balancer.statistics(world.now).workers)
      if (worker.endpoint == endpoint) sum += worker.acked;
    return sum;
  };
  ASSERT_EQ(acked("a"), 7u);
  world.remove(0);
  EXPECT_EQ(acked("a"), 7u);
  EXPECT_THAT(world.balancer.statistics(world.now).workers, SizeIs(2));
  world.remove(1);
  EXPECT_EQ(acked("a"), 7u);
  EXPECT_EQ(world.balancer.statistics(world.now).workers.back().state, WorkerState::left);
  world.join({.endpoint = "a"});
  EXPECT_EQ(acked("a"), 7u);
  EXPECT_THAT(world.balancer.statistics(world.now).workers, SizeIs(2)) << "it goes on with them";
}

TEST(ChangingSets, FiguresOfManyEndpointsThatLeftAreAddedUp) {
  World world(1);
  for (int i = 0; i < 400; ++i) world.remove(world.join({.endpoint = "pod " + std::to_string(i)}));
  const auto workers = world.balancer.statistics(world.now).workers;
  EXPECT_LT(workers.size(), 300u);
  std::uint64_t connects = 0;
  for (const auto& worker : workers) connects += worker.connects;
  EXPECT_EQ(connects, 401u);
}

TEST(ChangingSets, WhenThePreferredOnesHaveLeftTheOthersDraw) {
  World world({{.priority = 0}, {.priority = 1}});
  world.run();
  EXPECT_EQ(world.state(1), WorkerState::standby);
  world.remove(0);
  world.publish();
  EXPECT_EQ(world.take().worker, 1u);
}

TEST(ChangingSets, ChangesAfterACloseChangeNothing) {
  World world(1);
  world.close();
  world.join();
  world.remove(0);
  EXPECT_THAT(world.left, IsEmpty());
  EXPECT_EQ(world.balancer.next_timeout(), base::never);
}

TEST(ChangingSets, EarliestFinishTakesWorkersThatJoin) {
  World world(std::make_unique<EarliestFinish>(std::vector<unsigned>{4}), {{.window = 4}}, {.bulk_max_events = 1});
  world.everywhere(acknowledging(10ms));
  world.publish_each(100);
  world.pass(100ms);
  const WorkerId second = world.join({.window = 4}, acknowledging(10ms));
  world.pass(1s);
  EXPECT_GT(world.endpoints[second].delivered, 20u);
  EXPECT_EQ(world.ledger().acked, 100u);
}

// Replacing a connection that is too old.

TEST(ReplacingAConnection, TheNewOneIsMadeFirstAndTheOldOneDrains) {
  World world(1, {.bulk_max_events = 1}, {.ttl = 1min, .overlaps = true, .window = 2});
  world.run();
  world.connects[0] = World::OnConnect::hang;
  world.pass(1min);
  ASSERT_THAT(world.replaced, SizeIs(1));
  const WorkerId successor = world.replaced[0].successor;
  world.publish_each(4);
  const auto first = world.take();
  const auto second = world.take();
  EXPECT_EQ(first.worker, 0u) << "the old one draws until the new one stands";
  world.accept(successor);
  world.answer(first.attempt, PublishResult::acked());
  EXPECT_EQ(world.take().worker, successor);
  EXPECT_EQ(world.take().worker, successor);
  EXPECT_THAT(world.left, IsEmpty());
  world.answer(second.attempt, PublishResult::acked());
  EXPECT_THAT(world.left, ElementsAre(0u));
  EXPECT_EQ(world.ledger().retried, 0u);
}

TEST(ReplacingAConnection, TheOldOneStaysWhileTheNewOneCannotBeMade) {
  World world(1, {}, {.wait_retry = 1s, .max_wait_retry = 10s, .ttl = 1min, .overlaps = true});
  world.run();
  world.connects[0] = World::OnConnect::refuse;
  world.everywhere(acknowledging());
  world.pass(10min);
  const auto publish = world.publish();
  EXPECT_EQ(world.heard[publish].acked, 1u);
  ASSERT_THAT(world.replaced, SizeIs(1)) << "it is one successor that tries again and again";
  EXPECT_GT(world.connects_wanted, 30u);
  world.connects[world.replaced[0].successor] = World::OnConnect::accept;
  world.pass(10s);
  EXPECT_THAT(world.left, ElementsAre(0u));
}

TEST(ReplacingAConnection, WhenTheOldOneEndsByItselfItIsMadeAgainAndTheSuccessorIsCalledOff) {
  World world(1, {}, {.wait_retry = 1s, .ttl = 1min, .overlaps = true});
  world.run();
  world.connects[0] = World::OnConnect::hang;
  world.pass(1min);
  const WorkerId successor = world.replaced.at(0).successor;
  world.lose(0);
  EXPECT_THAT(world.left, ElementsAre(successor));
  EXPECT_TRUE(world.connecting(0));
}

TEST(ReplacingAConnection, TheTwoLeaveWithEachOther) {
  for (const bool by_successor : {false, true}) {
    World world(1, {}, {.ttl = 1min, .overlaps = true});
    world.run();
    world.connects[0] = World::OnConnect::hang;
    world.pass(1min);
    const WorkerId successor = world.replaced.at(0).successor;
    world.remove(by_successor ? successor : 0);
    EXPECT_THAT(world.left, testing::UnorderedElementsAre(0u, successor));
  }
}

TEST(ReplacingAConnection, OneThatIsFailingIsClosedFirst) {
  World world(1, {}, {.wait_retry = 1h, .max_wait_retry = 1h, .ttl = 1min, .overlaps = true});
  world.publish();
  world.answer(world.take().attempt, PublishResult::failed(errc::temporary));
  const std::size_t connects = world.connects_wanted;
  world.pass(1min);
  EXPECT_THAT(world.replaced, IsEmpty());
  EXPECT_EQ(world.connects_wanted, connects + 1);
}

TEST(ReplacingAConnection, CapacityIsNeverMissingAndNoEventWaitsOrIsSentTwice) {
  World world(2, {.bulk_max_events = 1}, {.ttl = 10s, .overlaps = true, .window = 4});
  world.everywhere(acknowledging(10ms));
  for (int tick = 0; tick < 6000; ++tick) {
    world.publish();
    world.pass(10ms);
    ASSERT_EQ(world.ledger().queued, 0u);
  }
  EXPECT_GE(world.replaced.size(), 8u);
  EXPECT_EQ(world.ledger().retried, 0u);
  world.finish();
  for (const auto& [event, times] : world.delivered) EXPECT_EQ(times, 1u) << event;
}

}  // namespace
}  // namespace windlass::core
