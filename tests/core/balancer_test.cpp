#include "core/balancer.h"

#include "core/world.h"

namespace windlass::core {
namespace {

TEST(Balancer, AnEventThatIsAcknowledgedIsSignalledOnce) {
  World world(1);
  const auto publish = world.publish();
  const auto sent = world.take();
  EXPECT_EQ(sent.batch[0], "0.0");
  EXPECT_EQ(world.heard[publish].times, 0u);
  world.answer(sent.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].times, 1u);
  EXPECT_FALSE(world.heard[publish].reason);
  world.answer(sent.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[publish].times, 1u);
}

}  // namespace
}  // namespace windlass::core
