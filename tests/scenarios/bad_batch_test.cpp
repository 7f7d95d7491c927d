// Bad batches and bad endpoints: events that no endpoint takes, which make the whole of their batch fail.

#include <string>

#include "core/world.h"

namespace windlass::core {
namespace {

/// An endpoint that fails each batch with one of these events in it, and acknowledges the others.
World::Endpoint refusing(std::set<std::string> poison, std::error_code error, base::Duration takes = 1ms) {
  return {[poison = std::move(poison), error](const Batch& batch) {
            for (const std::string_view event : batch)
              if (poison.contains(std::string(event))) return PublishResult::failed(error);
            return PublishResult::acked();
          },
          takes};
}

std::vector<WorkerOptions> named(std::initializer_list<const char*> names) {
  std::vector<WorkerOptions> workers;
  for (const char* name : names) workers.push_back({.endpoint = name});
  return workers;
}

/// Other work, so that endpoints can show what they are worth.
void keep_busy(World& world, base::Duration time) {
  for (base::Duration passed{0}; passed < time; passed += 20ms) {
    world.publish(1);
    world.pass(20ms);
  }
}

/// An endpoint that answers event by event, and fails those that end in a 7.
World::Endpoint failing_some(base::Duration takes) {
  return {[](const Batch& batch) {
            std::vector<PublishResult::Unpublished> rest;
            for (std::uint32_t index = 0; index < batch.size(); ++index)
              if (batch[index].ends_with('7')) rest.push_back({index, errc::temporary});
            return PublishResult::returned(std::move(rest));
          },
          takes};
}

constexpr Options keeping_letters{.max_attempts = 0, .dead_letter = true};

/// Fails by an error, and by the connection.
class BadBatch : public testing::TestWithParam<errc> {};

TEST_P(BadBatch, OneEventOfAThousandStandsAloneAfterHalvingsAndTheOthersAreDelivered) {
  World world(named({"a", "b"}), keeping_letters);
  world.everywhere(refusing({"0.617"}, GetParam()));
  const auto publish = world.publish(1000);
  keep_busy(world, 60s);
  ASSERT_TRUE(world.finish());
  ASSERT_EQ(world.dead_letters.size(), 1u);
  const DeadLetter& letter = world.dead_letters[0];
  EXPECT_EQ(letter.events.size(), 1u);
  EXPECT_EQ(letter.events[0], "0.617");
  EXPECT_EQ(letter.reason, errc::undeliverable);
  EXPECT_EQ(letter.error, GetParam());
  EXPECT_GE(letter.attempts, 2u * 10) << "twice in each of its batches";
  EXPECT_LE(letter.attempts, 3u * 11);
  EXPECT_FALSE(letter.endpoints.empty()) << "both, or the one that did not rest after the first failure";
  EXPECT_EQ(world.heard[publish].acked, 999u);
  EXPECT_EQ(world.heard[publish].failed, 1u);
  EXPECT_EQ(world.heard[publish].reason, errc::undeliverable);
  EXPECT_EQ(world.ledger().dead_lettered, 1u);
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
  for (const auto& [event, times] : world.delivered) EXPECT_EQ(times, 1u) << event;
}

TEST_P(BadBatch, WithoutOtherWorkItsHalvesShowWhatTheEndpointsAreWorth) {
  World world(named({"a", "b"}), keeping_letters);
  world.everywhere(refusing({"0.617"}, GetParam()));
  const auto publish = world.publish(1000);
  ASSERT_TRUE(world.finish(1h));
  EXPECT_EQ(world.heard[publish].acked, 999u);
  EXPECT_EQ(world.ledger().dead_lettered, 1u);
}

TEST_P(BadBatch, WithLimitedAttemptsTheInnocentEventsOfItAreDeliveredToo) {
  World world(named({"a", "b"}), {.max_attempts = 4, .dead_letter = true});
  world.everywhere(refusing({"0.617"}, GetParam()));
  const auto publish = world.publish(1000);
  keep_busy(world, 60s);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.heard[publish].acked, 999u);
  EXPECT_EQ(world.heard[publish].reason, errc::undeliverable);
}

TEST_P(BadBatch, AnUndeliverableEventWithLimitedAttemptsUsesThemUpWhereThereIsNoDeadLetter) {
  Options options{.max_attempts = 4};
  options.bulk_max_events = 1;
  World world(named({"a", "b"}), options);
  world.everywhere(refusing({"0.0"}, GetParam()));
  const auto publish = world.publish(1);
  keep_busy(world, 60s);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.heard[publish].reason, errc::undeliverable);
  EXPECT_EQ(world.dropped(errc::undeliverable), 1u);
}

TEST_P(BadBatch, GuaranteedEventsGoToTheDeadLetterToo) {
  World world(named({"a", "b"}), {.max_attempts = 4, .dead_letter = true});
  world.everywhere(refusing({"0.3"}, GetParam()));
  const auto publish = world.publish(10, true);
  keep_busy(world, 60s);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.heard[publish].acked, 9u);
  EXPECT_EQ(world.heard[publish].reason, errc::undeliverable);
}

TEST_P(BadBatch, WithoutADeadLetterAGuaranteedEventIsSentWithoutEndAndHoldsUpNobody) {
  World world(named({"a", "b"}), {.max_attempts = 4});
  world.everywhere(refusing({"0.3"}, GetParam()));
  const auto publish = world.publish(10, true);
  keep_busy(world, 60s);
  const auto sends = world.endpoints[0].sends + world.endpoints[1].sends;
  EXPECT_EQ(world.balancer.held_events(), 1u) << "the others are through";
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.pass(1h);
  EXPECT_GE(world.endpoints[0].sends + world.endpoints[1].sends, sends + 30) << "it is still tried";
  EXPECT_LE(world.endpoints[0].sends + world.endpoints[1].sends, sends + 1000) << "but with rests between";
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
  world.everywhere(acknowledging());
  EXPECT_TRUE(world.finish()) << "an endpoint that learns to take it gets it";
  EXPECT_FALSE(world.heard[publish].reason);
}

TEST_P(BadBatch, WhereEveryEventIsBadEachIsGivenUpOnceOthersShowThatTheEndpointsServe) {
  World world(named({"a", "b"}), keeping_letters);
  std::set<std::string> all;
  for (int event = 0; event < 40; ++event) all.insert("0." + std::to_string(event));
  world.everywhere(refusing(all, GetParam()));
  const auto publish = world.publish(40);
  world.pass(10min);
  EXPECT_EQ(world.ledger().dead_lettered, 0u) << "for all that is known the endpoints are bad";
  keep_busy(world, 10min);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.heard[publish].failed, 40u);
  EXPECT_EQ(world.ledger().dead_lettered, 40u);
}

TEST(BadEvents, AnsweredOneByOneDoNotStopTheOthersAtASlowEndpoint) {
  World world(named({"a"}), keeping_letters);
  world.everywhere(failing_some(40ms));
  // One of ten events is bad, for a minute.
  std::size_t late = 0;
  for (int times = 0; times < 120; ++times) {
    world.publish_each(40);
    world.pass(500ms);
    late += world.balancer.held_events() > 200;
  }
  EXPECT_EQ(late, 0u) << "new work gets through at once, and bad events do not pile up";
  keep_busy(world, 60s);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().dead_lettered, 120u * 4u);
  EXPECT_EQ(world.dead_letters.size(), 120u * 4u) << "a letter each, with what was said of it";
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
}

TEST_P(BadBatch, OneEndpointIsEnough) {
  World world(named({"a"}), keeping_letters);
  world.everywhere(refusing({"0.617"}, GetParam()));
  const auto publish = world.publish(1000);
  keep_busy(world, 60s);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.heard[publish].acked, 999u);
  EXPECT_EQ(world.ledger().dead_lettered, 1u);
}

TEST_P(BadBatch, SoItIsWhileAnotherEndpointIsDown) {
  World world(named({"a", "b"}), keeping_letters);
  world.connects[1] = World::OnConnect::refuse;
  world.everywhere(refusing({"0.617"}, GetParam()));
  const auto publish = world.publish(1000);
  keep_busy(world, 60s);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.heard[publish].acked, 999u);
  ASSERT_EQ(world.dead_letters.size(), 1u);
  EXPECT_EQ(world.dead_letters[0].endpoints, std::vector<std::string>{"a"});
}

TEST_P(BadBatch, NoEndpointIsBlamedForLong) {
  World world(named({"a", "b"}), keeping_letters);
  world.everywhere(refusing({"0.617"}, GetParam()));
  world.publish(1000);
  keep_busy(world, 2s);  // the first failure may be the endpoint's: it rests for a second at most
  for (int times = 0; times < 500; ++times) {
    keep_busy(world, 20ms);
    for (const WorkerId worker : {0u, 1u}) {
      EXPECT_NE(world.state(worker), WorkerState::resting) << "at " << times;
      EXPECT_NE(world.state(worker), WorkerState::waiting) << "at " << times;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Scenario, BadBatch, testing::Values(errc::temporary, errc::connection_lost),
                         [](const auto& one) {
                           return one.param == errc::temporary ? "ByAnError" : "ByTheConnection";
                         });

TEST(BadEndpoints, AnOutageOfAllMakesNoEventUndeliverable) {
  World world(named({"a", "b"}), keeping_letters);
  world.everywhere(failing(errc::temporary, 1ms));
  for (int times = 0; times < 600; ++times) {
    world.publish(5);
    world.pass(1s);
  }
  world.everywhere(acknowledging(1ms));
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().acked, 3000u);
  EXPECT_EQ(world.ledger().dead_lettered, 0u);
}

TEST(BadEndpoints, OneThatFailsEverythingCondemnsNothingThatAnotherTakes) {
  World world(named({"a", "b"}), {.max_attempts = 4, .dead_letter = true});
  world.everywhere(acknowledging(1ms));
  world.endpoints[1] = failing(errc::temporary, 1ms);
  keep_busy(world, 5min);
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.ledger().acked, world.ledger().accepted);
}

TEST(BadEndpoints, TwoConnectionsToOneAreOne) {
  Options options{.max_attempts = 0, .dead_letter = true};
  options.bulk_max_events = 1;
  World world(named({"a", "a", "b"}), options);
  world.connects[2] = World::OnConnect::hang;
  world.everywhere(refusing({"0.0"}, errc::temporary));
  world.publish(1);
  keep_busy(world, 20s);
  ASSERT_EQ(world.dead_letters.size(), 1u);
  EXPECT_EQ(world.dead_letters[0].attempts, 3u) << "three times, as at a single endpoint";
  EXPECT_EQ(world.dead_letters[0].endpoints, std::vector<std::string>{"a"});
}

TEST(BadEndpoints, FailedWorkGoesToAnotherEndpointRatherThanToAnotherConnection) {
  World world(named({"a", "a", "b"}));
  world.publish(1);
  const auto first = world.take();
  world.answer(first.attempt, PublishResult::failed(errc::temporary));
  EXPECT_EQ(world.take().worker == 2, first.worker != 2);
}

TEST(BadEndpoints, AnOverloadedOneMakesNothingSuspicious) {
  World world(named({"a", "b"}), keeping_letters);
  world.everywhere(
      {[](const Batch& batch) { return batch[0] == "0.0" ? PublishResult::throttled() : PublishResult::acked(); },
       1ms});
  world.publish(2);
  keep_busy(world, 60s);
  EXPECT_EQ(world.ledger().dead_lettered, 0u);
  world.everywhere(acknowledging());
  EXPECT_TRUE(world.finish());
}

TEST(BadBatchOverAConnection, NothingIsSentBehindABatchUnderSuspicion) {
  Options options{.max_attempts = 0};
  options.bulk_max_events = 1;
  World world({{.endpoint = "a", .window = 8}}, options);
  world.publish(1);
  for (int times = 0; times < 2; ++times) {
    world.pass(5s);
    world.answer(world.take().attempt, PublishResult::failed(errc::temporary));
  }
  world.publish(1);
  world.publish(1);
  world.pass(5s);
  const auto first = world.take();
  world.answer(first.attempt, PublishResult::acked());  // so that the worker is trusted again
  while (world.balancer.held_events() > 0) {
    const auto one = world.take();
    EXPECT_TRUE(one.batch[0] != "0.0" || world.sent.empty()) << "nothing came behind it";
    world.answer(one.attempt, PublishResult::acked());
  }
}

}  // namespace
}  // namespace windlass::core
