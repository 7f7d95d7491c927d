#include "core/shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>

#include "core/earliest_finish.h"
#include "world.h"

namespace windlass::core {
namespace {

using testing::ElementsAre;

class SharesTest : public testing::Test {
 protected:
  SharesTest() {
    for (WorkerId id = 0; id < 3; ++id) shares.joined(id);
  }
  WorkerId pick(const std::vector<WorkerId>& workers, double cost = 1) {
    return shares.pick(
        workers, [&](WorkerId id) { return weights[id]; }, [&](WorkerId) { return cost; });
  }

  Shares shares;
  std::vector<unsigned> weights{3, 1, 1};
};

TEST_F(SharesTest, FollowTheWeightsAsEvenlyAsBatchesAllow) {
  std::vector<WorkerId> picked;
  for (int i = 0; i < 5; ++i) picked.push_back(pick({0, 1, 2}));
  EXPECT_THAT(picked, ElementsAre(0, 1, 0, 2, 0));
}

TEST_F(SharesTest, CountCostsNotBatches) {
  std::map<WorkerId, double> cost;
  for (int i = 0; i < 1000; ++i) {
    const double one = i % 2 == 0 ? 10 : 1;
    cost[pick({0, 1}, one)] += one;
  }
  EXPECT_NEAR(cost[0] / (cost[0] + cost[1]), 0.75, 0.01);
}

TEST_F(SharesTest, NobodySavesUpWhileOthersAreBetter) {
  for (int i = 0; i < 100; ++i) pick({0});
  std::map<WorkerId, int> picked;
  for (int i = 0; i < 40; ++i) ++picked[pick({0, 1})];
  EXPECT_EQ(picked[0], 30);
}

/// Workers of these weights at endpoints that take so long for a batch, and batches that come one after another.
struct Pool {
  Pool(std::vector<WorkerOptions> options, bool adapts)
      : world(adapts ? std::unique_ptr<HandOutPolicy>(std::make_unique<EarliestFinish>(std::vector<unsigned>(2, 4)))
                     : fixed_windows(std::vector<unsigned>(2, 4)),
              std::move(options), {.bulk_max_events = 1}) {}

  /// The share of the first one of batches that are sent while nothing else is under way.
  double share_of_first(base::Duration first, base::Duration second) {
    world.endpoints[0] = acknowledging(first);
    world.endpoints[1] = acknowledging(second);
    for (int i = 0; i < 400; ++i) {
      world.publish();
      world.pass(2 * std::max(first, second));
    }
    const double both = double(world.endpoints[0].delivered + world.endpoints[1].delivered);
    return double(world.endpoints[0].delivered) / both;
  }

  World world;
};

TEST(Weights, EndpointsThatAreAsFastGetSharesInProportion) {
  for (const bool adapts : {false, true}) {
    Pool pool({{.weight = 3, .window = 4}, {.weight = 1, .window = 4}}, adapts);
    EXPECT_NEAR(pool.share_of_first(10ms, 10ms), 0.75, 0.02) << adapts;
  }
}

TEST(Weights, AnEndpointThatIsMuchSlowerIsNotMadeUpForByItsWeight) {
  Pool pool({{.weight = 1, .window = 4}, {.weight = 9, .window = 4}}, true);
  EXPECT_GT(pool.share_of_first(10ms, 100ms), 0.9);
}

TEST(Weights, WhileWorkWaitsEveryoneWithRoomDraws) {
  World world(std::vector<WorkerOptions>{{.weight = 9, .window = 1}, {.weight = 1, .window = 1}},
              {.bulk_max_events = 1});
  world.run();
  world.publish_each(10);
  EXPECT_NE(world.take().worker, world.take().worker);
}

TEST(Weights, ThatAreEqualChangeNothing) {
  Pool pool({{.weight = 5, .window = 4}, {.weight = 5, .window = 4}}, false);
  EXPECT_NEAR(pool.share_of_first(10ms, 10ms), 0.5, 0.02);
}

}  // namespace
}  // namespace windlass::core
