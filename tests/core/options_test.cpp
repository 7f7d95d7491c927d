#include "core/options.h"

#include "core/world.h"

namespace windlass::core {
namespace {

TEST(Options, BatchesOfNothingBecomeBatchesOfOne) {
  Options options;
  options.bulk_max_events = 0;
  options.bulk_max_bytes = 0;
  World world(1, options);
  world.everywhere(acknowledging());
  world.publish(5);
  EXPECT_EQ(world.endpoints[0].sends, 5u);
  EXPECT_EQ(world.succeeded(), 1u);
}

TEST(Options, TimeoutsOfNothingDoNotSpin) {
  World world(1, {.max_attempts = 4, .timeout = 0s, .progress_timeout = -1s});
  world.publish();
  world.pass(10ms);
  EXPECT_EQ(world.signalled(), 1u);
  EXPECT_LE(world.wake_ups, 20u);
}

TEST(Options, FewerThanNoAttemptsMeanWithoutEnd) {
  World world(1, {.max_attempts = -1});
  world.everywhere(failing_first(20, errc::temporary));
  world.publish();
  ASSERT_TRUE(world.finish());
  EXPECT_EQ(world.succeeded(), 1u);
}

TEST(Options, AWindowHasRoomForOneBatchAtLeast) {
  const auto policy = fixed_windows({0, 7});
  EXPECT_EQ(policy->window(0), 1u);
  EXPECT_EQ(policy->window(1), 7u);
  EXPECT_STREQ(policy->window_reason(1), "fixed");
}

}  // namespace
}  // namespace windlass::core
