// The test scenarios of the balancer that we carry on, each for one event and for a batch, with clients that answer at
// once (as a blocking client does, one batch at a time) and with clients that answer later (as a pipelining one does).

#include <string>
#include <tuple>

#include "core/world.h"

namespace windlass::core {
namespace {

struct Client {
  const char* name;
  base::Duration takes;
  unsigned window;
};
void PrintTo(const Client& client, std::ostream* out) {
  *out << client.name;
}

class OriginalScenario : public testing::TestWithParam<std::tuple<Client, std::size_t>> {
 protected:
  WorkerOptions worker() const {
    WorkerOptions options;
    options.wait_retry = 1ms;
    options.max_wait_retry = 10ms;
    options.window = std::get<0>(GetParam()).window;
    return options;
  }
  base::Duration takes() const { return std::get<0>(GetParam()).takes; }
  std::size_t events() const { return std::get<1>(GetParam()); }

  /// Publishes once to clients of this kind and waits for the end.
  World::Heard publish(World& world, bool guaranteed = false) {
    const auto number = world.publish(events(), guaranteed);
    EXPECT_TRUE(world.finish());
    EXPECT_EQ(world.heard[number].times, 1u);
    return world.heard[number];
  }

  void expect_delivered(World& world, const World::Heard& heard) {
    EXPECT_FALSE(heard.reason);
    EXPECT_EQ(heard.acked, events());
    EXPECT_EQ(world.delivered.size(), events());
    for (const auto& [event, times] : world.delivered) EXPECT_EQ(times, 1u) << event;
  }
  void expect_dropped(World& world, const World::Heard& heard, errc reason) {
    EXPECT_EQ(heard.reason, reason);
    EXPECT_EQ(heard.failed, events());
    EXPECT_TRUE(world.delivered.empty());
  }
};

TEST_P(OriginalScenario, StartAndStop) {
  World world(2, {}, worker());
  world.everywhere(acknowledging(takes()));
  world.run();
  world.close();
  EXPECT_TRUE(world.balancer.closed());
  EXPECT_TRUE(world.heard.empty());
}

TEST_P(OriginalScenario, SendWithoutAnyActiveConnectionFailsAfterTheAttempts) {
  World world(2, {.max_attempts = 3, .timeout = 100ms}, worker());
  world.connects = {World::OnConnect::refuse, World::OnConnect::hang};
  expect_dropped(world, publish(world), errc::no_worker);
}

TEST_P(OriginalScenario, SendSucceeds) {
  World world(2, {}, worker());
  world.everywhere(acknowledging(takes()));
  expect_delivered(world, publish(world));
}

TEST_P(OriginalScenario, OneErrorThenSuccess) {
  World world(2, {.max_attempts = 3}, worker());
  world.everywhere(failing_first(1, errc::connection_lost, takes()));
  expect_delivered(world, publish(world));
}

TEST_P(OriginalScenario, AsManyErrorsAsAttemptsFailsAndDeliversNothing) {
  World world(1, {.max_attempts = 3}, worker());
  world.everywhere(failing_first(3, errc::connection_lost, takes()));
  expect_dropped(world, publish(world), errc::attempts_exhausted);
  EXPECT_EQ(world.endpoints[0].sends, 3u);
}

TEST_P(OriginalScenario, OneErrorLessThanAttemptsSucceeds) {
  World world(1, {.max_attempts = 3}, worker());
  world.everywhere(failing_first(2, errc::connection_lost, takes()));
  expect_delivered(world, publish(world));
}

TEST_P(OriginalScenario, OneTemporaryErrorThenSuccess) {
  World world(2, {.max_attempts = 3}, worker());
  world.everywhere(failing_first(1, errc::temporary, takes()));
  expect_delivered(world, publish(world));
}

TEST_P(OriginalScenario, AsManyTemporaryErrorsAsAttemptsFails) {
  World world(1, {.max_attempts = 3}, worker());
  world.everywhere(failing_first(3, errc::temporary, takes()));
  expect_dropped(world, publish(world), errc::attempts_exhausted);
}

TEST_P(OriginalScenario, ManyFailuresWithAttemptsWithoutEndSucceed) {
  for (const unsigned failures : {25u, 50u}) {
    for (const errc error : {errc::temporary, errc::connection_lost, errc::throttled}) {
      World world(1, {.max_attempts = 0}, worker());
      world.everywhere(failing_first(failures, error, takes()));
      expect_delivered(world, publish(world));
      EXPECT_GE(world.endpoints[0].sends, failures + 1) << "or more: what fails on and on goes on in halves";
    }
  }
}

TEST_P(OriginalScenario, ManyFailuresWithThreeAttemptsAndGuaranteedSucceed) {
  for (const unsigned failures : {25u, 50u}) {
    for (const errc error : {errc::temporary, errc::connection_lost, errc::throttled}) {
      World world(1, {.max_attempts = 3}, worker());
      world.everywhere(failing_first(failures, error, takes()));
      expect_delivered(world, publish(world, true));
    }
  }
}

TEST_P(OriginalScenario, RetriesNeverDeadlock) {
  Options options{.max_attempts = 0};
  options.queue_events = 2 * events();
  World world(2, options, worker());
  // Each publish fails a thousand times before it gets through.
  std::map<std::string, int> failures;
  world.everywhere({[&](const Batch& batch) {
                      for (const std::string_view event : batch)
                        if (++failures[std::string(event)] <= 1000) return PublishResult::failed(errc::temporary);
                      return PublishResult::acked();
                    },
                    takes()});
  for (int publish = 0; publish < 100; ++publish) {
    world.publish(events());
    while (world.refusal == errc::queue_full) {
      world.pass(1s);
      world.publish(events());
    }
  }
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.succeeded(), 100u);
}

TEST_P(OriginalScenario, ConnectFailsTwiceThenSends) {
  World world(1, {.max_attempts = 0}, worker());
  world.everywhere(acknowledging(takes()));
  world.connects[0] = World::OnConnect::refuse;
  world.publish(events());
  while (world.connects_wanted < 2) world.pass(100us);
  world.connects[0] = World::OnConnect::accept;
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.connects_wanted, 3u);
  expect_delivered(world, world.heard[0]);
}

TEST_P(OriginalScenario, FlakySendsOfASingleConnectionSucceed) {
  World world(1, {.max_attempts = 3}, worker());
  unsigned sends = 0;
  world.everywhere({[&](const Batch&) {
                      return ++sends % 3 == 0 ? PublishResult::acked() : PublishResult::failed(errc::connection_lost);
                    },
                    takes()});
  for (int times = 0; times < 20; ++times) EXPECT_FALSE(publish(world).reason);
  EXPECT_EQ(sends, 60u);
}

TEST_P(OriginalScenario, ASingleConnectionMayUseUpAllAttempts) {
  World world(1, {.max_attempts = 3}, worker());
  world.everywhere(failing(errc::connection_lost, takes()));
  expect_dropped(world, publish(world), errc::attempts_exhausted);
  EXPECT_EQ(world.endpoints[0].sends, 3u);
}

TEST_P(OriginalScenario, HostsTimesWorkers) {
  for (const std::size_t connections : {1u, 3u, 2u, 6u}) {
    World world(connections, {}, worker());
    world.everywhere(acknowledging(takes()));
    expect_delivered(world, publish(world));
    EXPECT_EQ(world.connects_wanted, connections);
  }
}

// Zero clients are refused by LoadBalancer (tests/runtime); workers may join a Balancer that begins without any.

// What the original has no tests of.

TEST_P(OriginalScenario, PartialSuccessDeliversEachEventOnce) {
  World world(2, {.max_attempts = 3}, worker());
  world.everywhere({[](const Batch& batch) {
                      const auto half = static_cast<std::uint32_t>((batch.size() + 1) / 2);
                      return half == batch.size() ? PublishResult::acked()
                                                  : PublishResult::acked_first(half, errc::connection_lost);
                    },
                    takes()});
  expect_delivered(world, publish(world));
}

TEST_P(OriginalScenario, CloseWithWorkInFlightSignalsIt) {
  World world(2, {}, worker());
  world.everywhere(silent());
  for (int publish = 0; publish < 10; ++publish) world.publish(events());
  world.close();
  for (const auto& heard : world.heard) expect_dropped(world, heard, errc::closed);
}

TEST_P(OriginalScenario, SeveralPublishersAreServedInTurn) {
  World world(3, {}, worker());
  world.everywhere(acknowledging(1ms));
  for (int round = 0; round < 100; ++round)
    for (int publisher = 0; publisher < 4; ++publisher) world.publish(events());
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.succeeded(), 400u);
  for (std::size_t publish = 4; publish < 400; ++publish)
    EXPECT_LE(world.heard[publish - 4].at, world.heard[publish].at + 2ms);
}

TEST_P(OriginalScenario, EqualConnectionsGetEqualShares) {
  Options options;
  options.bulk_max_events = static_cast<std::uint32_t>(events());
  World world(3, options, worker());
  world.everywhere(acknowledging(1ms));
  for (int publish = 0; publish < 300; ++publish) world.publish(events());
  ASSERT_TRUE(world.finish());
  for (const auto& endpoint : world.endpoints) EXPECT_NEAR(static_cast<double>(endpoint.sends), 100.0, 2.0);
}

INSTANTIATE_TEST_SUITE_P(Clients, OriginalScenario,
                         testing::Combine(testing::Values(Client{"AnsweringAtOnce", 0ms, 1},
                                                          Client{"AnsweringLater", 1ms, 4}),
                                          testing::Values(1u, 10u)),
                         [](const auto& all) {
                           return std::string(std::get<0>(all.param).name) +
                                  (std::get<1>(all.param) == 1 ? "OneEvent" : "ABatch");
                         });

}  // namespace
}  // namespace windlass::core
