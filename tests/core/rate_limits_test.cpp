// Endpoints that are given no more than so many events a second, and what becomes of the work meanwhile.
#include "core/rate_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "core/earliest_finish.h"
#include "core/world.h"

namespace windlass::core {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

WorkerOptions limited(double rate, std::string endpoint = "h1", unsigned window = 8) {
  WorkerOptions worker;
  worker.endpoint = std::move(endpoint);
  worker.rate_limit = rate;
  worker.window = window;
  return worker;
}

TEST(RateLimits, AnEndpointIsGivenABurstAndThenTheRate) {
  World world({limited(1000)});
  world.everywhere(acknowledging());
  world.publish_each(10'000);
  EXPECT_EQ(world.ledger().acked, 200u) << "a burst, and one batch, which is no larger";
  world.pass(1s);
  EXPECT_EQ(world.ledger().acked, 1200u);
  world.pass(3s);
  EXPECT_EQ(world.ledger().acked, 4200u);
}

TEST(RateLimits, ConnectionsToOneEndpointShareIt) {
  World world({limited(1000), limited(1000)});
  world.everywhere(acknowledging());
  world.publish_each(10'000);
  world.pass(4s);
  EXPECT_EQ(world.ledger().acked, 4200u);
  EXPECT_GT(world.endpoints[0].delivered, 0u);
  EXPECT_GT(world.endpoints[1].delivered, 0u);
}

TEST(RateLimits, OfOneEndpointIsNothingToAnother) {
  World world({limited(1000, "h1"), limited(0, "h2")});
  world.everywhere(acknowledging(1ms));
  world.publish_each(50'000);
  world.pass(1s);
  EXPECT_LE(world.endpoints[0].delivered, 1200u);
  EXPECT_EQ(world.ledger().acked, 50'000u) << "the other one takes the rest at once";
}

TEST(RateLimits, NobodySleepsOverIt) {
  World world({limited(2)});
  world.everywhere(acknowledging());
  world.publish_each(3);
  EXPECT_EQ(world.ledger().acked, 2u);
  EXPECT_EQ(world.balancer.next_timeout(), world.now + 500ms);
  ASSERT_TRUE(world.finish());
  const std::size_t wake_ups = world.wake_ups;
  EXPECT_LE(wake_ups, 2u);
  world.pass(1h);
  EXPECT_EQ(world.wake_ups, wake_ups) << "with nothing to do there is nothing to wake up for";
}

TEST(RateLimits, ABatchThatComesBackGoesWholeAndIsPaidForAfterwards) {
  World world({limited(0, "h2"), limited(100, "h1")});
  world.publish_each(1000);
  const auto first = world.take();
  ASSERT_EQ(first.worker, 0u);
  ASSERT_EQ(first.batch.size(), 1000u);
  world.connects[0] = World::OnConnect::refuse;
  world.lose(0);
  const auto again = world.take();
  EXPECT_EQ(again.worker, 1u);
  EXPECT_EQ(again.batch.size(), 1000u);
  world.answer(again.attempt, PublishResult::acked());
  world.publish();
  EXPECT_THAT(world.sent, IsEmpty());
  world.pass(9900ms - 1ns);
  EXPECT_THAT(world.sent, IsEmpty());
  world.pass(1ns);
  EXPECT_THAT(world.sent, SizeIs(1));
}

TEST(RateLimits, WaitingForOneCostsNoAttempt) {
  World world({limited(0.01)}, {.max_attempts = 1, .timeout = 10s, .bulk_max_events = 1});
  world.everywhere(acknowledging());
  world.publish_each(20);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().acked, 20u);
  EXPECT_GE(world.now - base::Time(1h), 1800s);
}

TEST(RateLimits, WhatWaitsForAnEndpointThatIsGoneIsGivenUpOnceTheLastBatchIsPaidFor) {
  World world({limited(1)}, {.max_attempts = 1, .timeout = 10s, .bulk_max_events = 1});
  world.publish_each(3);
  world.connects[0] = World::OnConnect::refuse;
  for (int i = 0; i < 2; ++i) world.answer(world.take().attempt, PublishResult::acked());
  world.lose(0);
  world.pass(11s - 1ns);
  EXPECT_EQ(world.dropped(errc::no_worker), 0u);
  world.pass(1ns);
  EXPECT_EQ(world.dropped(errc::no_worker), 1u) << "a second was paid for, and ten are waited";
}

TEST(RateLimits, SecondCopiesAndRetriesAreTakenFromIt) {
  World world({limited(10, "h1"), limited(10, "h1")}, {.max_attempts = 0});
  world.publish_each(2);
  for (int i = 0; i < 2; ++i) {
    const auto sent = world.take();
    world.answer(sent.attempt, PublishResult::failed(errc::throttled));
  }
  EXPECT_THAT(world.sent, IsEmpty());
  world.everywhere(acknowledging());
  ASSERT_TRUE(world.finish());
  world.publish_each(1000);
  world.pass(10s);
  EXPECT_LE(world.ledger().acked, 2u + 2 + 100);
}

TEST(RateLimits, FailedWorkIsNotKeptFromAWellEndpointByOneThatMayBeGivenNothing) {
  World world({limited(0, "h1", 1), limited(1, "h2", 1)}, {.max_attempts = 0, .bulk_max_events = 10});
  world.everywhere(acknowledging());
  world.endpoints[0] = failing_first(2, errc::temporary);
  world.publish_each(200);
  world.pass(6s);
  // Ten that failed go to the limited endpoint, which owes for them for as many seconds; nothing else waits for that.
  EXPECT_EQ(world.ledger().queued, 0u);
  EXPECT_EQ(world.ledger().acked, 200u);
}

TEST(RateLimits, TheLastAttemptIsKeptForAnotherEndpoint) {
  World world({limited(0, "h1", 1), limited(0.1, "h2", 1)}, {.max_attempts = 2, .bulk_max_events = 1});
  world.endpoints[0] = failing(errc::temporary);
  world.endpoints[1] = acknowledging();
  world.publish_each(4);
  EXPECT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().acked, 4u);
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
}

TEST(RateLimits, AnEventIsNotGivenUpWithoutHavingBeenAtTheOtherEndpoint) {
  // The first one takes all but one event, and the other one has just been given all that it may have for a while.
  World world({limited(0, "h1", 1), limited(0.01, "h2", 1)},
              {.max_attempts = 0, .dead_letter = true, .bulk_max_events = 1});
  world.endpoints[0].answer = [](const Batch& batch) {
    return batch[0] == "7.0" ? PublishResult::failed(errc::temporary) : PublishResult::acked();
  };
  world.endpoints[1] = acknowledging();
  for (int i = 0; i < 20; ++i) {
    world.publish();
    world.pass(1ms);
  }
  EXPECT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().acked, 20u);
  EXPECT_THAT(world.dead_letters, IsEmpty());
}

TEST(RateLimits, ADrainKeepsTheLimitUntilItsDeadline) {
  World world({limited(1000)});
  world.everywhere(acknowledging());
  world.publish_each(10'000);
  world.drain(2s);
  world.pass(1h);
  EXPECT_EQ(world.ledger().acked, 2200u - 100) << "at the deadline itself nothing is sent any more";
  EXPECT_EQ(world.dropped(errc::closed), 7900u);
  EXPECT_TRUE(world.balancer.closed());
}

TEST(RateLimits, AnEndpointThatLeavesAndComesBackIsGivenNoMoreForThat) {
  World world({limited(10)});
  world.everywhere(acknowledging());
  world.publish_each(1000);
  EXPECT_EQ(world.ledger().acked, 2u);
  for (int i = 0; i < 100; ++i) {
    world.remove(0);
    world.join(limited(10), acknowledging());
    world.pass(100ms);
  }
  EXPECT_LE(world.ledger().acked, 2u + 100);
  EXPECT_GE(world.ledger().acked, 100u);
}

TEST(RateLimits, WhoJoinsLastSaysWhatTheLimitIs) {
  World world({limited(10, "h1", 1)}, {.bulk_max_events = 1});
  world.everywhere(acknowledging());
  world.publish_each(50'000);
  world.pass(1s);
  EXPECT_EQ(world.ledger().acked, 12u);
  world.join(limited(1000, "h1", 1), acknowledging());
  world.pass(1s);
  EXPECT_NEAR(static_cast<double>(world.ledger().acked), 1100, 15);
  world.join(limited(0, "h1", 1), acknowledging());
  EXPECT_EQ(world.ledger().acked, 50'000u) << "there is none any more, for nobody";
}

TEST(RateLimits, ASuccessorOfAnOldConnectionHasTheLimitOfTheEndpoint) {
  WorkerOptions worker = limited(10);
  worker.ttl = 100ms;
  worker.overlaps = true;
  World world({worker});
  world.everywhere(acknowledging());
  world.publish_each(1000);
  world.pass(10s);
  EXPECT_GT(world.replaced.size(), 50u);
  EXPECT_LE(world.ledger().acked, 102u);
}

TEST(RateLimits, StandbyHostsDoNotStepInForOneAtItsLimit) {
  std::vector<WorkerOptions> workers{limited(10, "h1"), limited(0, "h2")};
  workers[1].priority = 1;
  World world(workers);
  world.everywhere(acknowledging());
  world.publish_each(1000);
  world.pass(10s);
  EXPECT_EQ(world.endpoints[1].delivered, 0u);
}

TEST(RateLimits, WeightsCountWhatIsSentAndNotWhatMightHaveBeen) {
  std::vector<WorkerOptions> workers{limited(1000, "h1", 2), limited(0, "h2", 2)};
  World world(workers, {.bulk_max_events = 10});
  world.everywhere(acknowledging(1ms));
  workers[0].weight = 3;
  World weighted(workers, {.bulk_max_events = 10});
  weighted.everywhere(acknowledging(1ms));
  for (int i = 0; i < 400; ++i) {
    world.publish_each(10);
    world.pass(25ms);
    weighted.publish_each(10);
    weighted.pass(25ms);
  }
  const auto share = [](const World& one) {
    return double(one.endpoints[0].delivered) / double(one.endpoints[0].delivered + one.endpoints[1].delivered);
  };
  EXPECT_NEAR(share(world), 0.5, 0.02);
  EXPECT_NEAR(share(weighted), 0.75, 0.02) << "300 of 400 events a second are within its limit";
}

TEST(RateLimits, AreShownWithTheTimeThatTheyTook) {
  World world({limited(1000), limited(0, "h2", 1)}, {.bulk_max_events = 1});
  world.run();
  EXPECT_EQ(world.figures(0).rate_limit, 1000.0);
  EXPECT_EQ(world.figures(1).rate_limit, 0.0);
  EXPECT_EQ(world.figures(0).at_rate_limit, 0ns);
  world.everywhere(acknowledging());
  world.endpoints[1] = silent();
  world.publish_each(10'001);
  world.pass(5s);
  EXPECT_EQ(world.figures(0).at_rate_limit, 5s);
}

TEST(RateLimits, RatesThatMakeNoSenseAreNone) {
  for (const double rate : {-1.0, 0.0, std::numeric_limits<double>::quiet_NaN()}) {
    World world({limited(rate)});
    world.everywhere(acknowledging());
    world.publish_each(5000);
    EXPECT_EQ(world.ledger().acked, 5000u) << rate;
  }
  World world({limited(std::numeric_limits<double>::infinity())});
  world.everywhere(acknowledging());
  world.publish_each(5000);
  EXPECT_EQ(world.ledger().acked, 5000u);
}

TEST(RateLimits, OfEndpointsThatLeftAreForgottenInTheEnd) {
  RateLimits limits;
  base::Time now{1h};
  for (EndpointId endpoint = 0; endpoint < 10'000; ++endpoint) {
    limits.set(endpoint, 0.001, now);
    limits.joined(0, endpoint);
    limits.spend(0, 10, now);
    limits.left(0, now);
  }
  EXPECT_TRUE(limits.any());
  limits.set(1, 5, now);
  limits.joined(0, 1);
  limits.left(0, now + std::chrono::hours(10'000));
  EXPECT_FALSE(limits.any());
}

// Earliest finish.

std::vector<unsigned> bounds(std::size_t workers) {
  return std::vector<unsigned>(workers, 8);
}

/// A fast endpoint, which may be limited, and a slow one; both are known by their acknowledgements.
struct FastAndSlow {
  explicit FastAndSlow(double rate)
      : world(std::make_unique<EarliestFinish>(bounds(2)), {limited(rate, "fast"), limited(0, "slow")},
              {.bulk_max_events = 10}) {
    world.endpoints[0] = acknowledging(1ms);
    world.endpoints[1] = acknowledging(200ms);
  }
  World world;
};

TEST(RateLimits, WorkIsNotHeldBackForAnEndpointThatMayNotHaveIt) {
  FastAndSlow one(20);
  // 50 events a second, of which the fast one could serve all many times over, and may have 20.
  for (int i = 0; i < 1000; ++i) {
    one.world.publish_each(1);
    one.world.pass(20ms);
  }
  EXPECT_LE(one.world.endpoints[0].delivered, 404u);
  EXPECT_LT(one.world.ledger().queued, 30u);
  EXPECT_GT(one.world.endpoints[1].delivered, 500u);
}

TEST(RateLimits, WorkGoesToTheFastEndpointWhileItMayHaveIt) {
  FastAndSlow one(1000);
  for (int i = 0; i < 500; ++i) {
    one.world.publish_each(1);
    one.world.pass(20ms);
  }
  EXPECT_LT(one.world.endpoints[1].delivered, 30u);
}

TEST(RateLimits, WaitingForOneIsNotTakenForTheWorkOfTheEndpoint) {
  FastAndSlow one(20);
  one.world.publish_each(2000);
  ASSERT_TRUE(one.world.finish());
  const WorkerId lifts_it = one.world.join(limited(0, "fast"), acknowledging(1ms));
  one.world.remove(lifts_it);
  const std::uint64_t slow_before = one.world.endpoints[1].delivered;
  for (int i = 0; i < 500; ++i) {
    one.world.publish_each(1);
    one.world.pass(20ms);
  }
  EXPECT_LT(one.world.endpoints[1].delivered, slow_before + 30) << "it is known to be the fast one";
}

}  // namespace
}  // namespace windlass::core
