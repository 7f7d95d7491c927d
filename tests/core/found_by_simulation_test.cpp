// What the simulator found, made small.
#include "core/balancer.h"
#include "core/world.h"

namespace windlass::core {
namespace {

WorkerOptions with_window(unsigned batches) {
  WorkerOptions worker;
  worker.window = batches;
  return worker;
}

TEST(FoundBySimulation, APeerThatSaysNoIsAliveSoTheOtherBatchMayStillCome) {
  Options options;
  options.timeout = 30s;
  options.bulk_max_events = 1;
  World world(1, options, with_window(2));
  const auto refused = world.publish(1, true);
  const auto slow = world.publish(1, true);
  const auto first = world.take();
  const auto second = world.take();
  world.pass(29s);
  world.answer(first.attempt, PublishResult::throttled());
  world.pass(2s);
  EXPECT_EQ(world.connects_wanted, 1u) << "the connection was closed although its peer spoke two seconds ago";
  world.answer(second.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[slow].times, 1u);
  EXPECT_EQ(world.heard[refused].times, 0u);
}

TEST(FoundBySimulation, AnEventAcknowledgedOnTheWayIsInFlightNoLongerInAnyFigure) {
  World world(1);
  world.publish(3);
  const auto sent = world.take();
  world.balancer.on_progress(sent.attempt, 2, world.now);
  world.run();
  const Statistics statistics = world.balancer.statistics(world.now);
  EXPECT_EQ(statistics.ledger.in_flight, 1u);
  EXPECT_EQ(statistics.workers[0].in_flight, 1u);
  EXPECT_EQ(statistics.workers[0].acked, 2u);
}

}  // namespace
}  // namespace windlass::core
