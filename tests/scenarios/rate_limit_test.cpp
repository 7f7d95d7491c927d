// An endpoint with a quota, beside two without: it gets no more than the quota, keeps nobody waiting while the others
// are well, and gets everybody through at its pace when they are not.
#include <memory>

#include "core/earliest_finish.h"
#include "core/world.h"

namespace windlass::core {
namespace {

constexpr double quota = 500;  ///< events a second

class Quota : public testing::Test {
 protected:
  static std::vector<WorkerOptions> workers() {
    std::vector<WorkerOptions> three(3);
    for (std::size_t i = 0; i < 3; ++i) {
      three[i].endpoint = "h" + std::to_string(i);
      three[i].window = 8;
      three[i].wait_retry = 100ms;
      three[i].max_wait_retry = 1s;
    }
    three[0].rate_limit = quota;
    return three;
  }
  static Options options() {
    Options options;
    options.max_attempts = 2;
    options.timeout = 1s;
    options.bulk_max_events = 200;
    return options;
  }
  Quota() { world.everywhere(acknowledging(20ms)); }  // 10,000 events a second each, in full batches

  /// So many events a second, a few at a time; how far the limited endpoint was over its quota, in events.
  double stream(double rate, base::Duration duration) {
    const base::Time begun = world.now;
    const std::uint64_t before = world.endpoints[0].delivered;
    while (world.now - begun < duration) {
      world.publish_each(static_cast<std::size_t>(rate / 50));
      world.pass(20ms);
    }
    const double seconds = std::chrono::duration<double>(world.now - begun).count();
    return static_cast<double>(world.endpoints[0].delivered - before) - quota * seconds;
  }
  void others(World::OnConnect connects) {
    for (const WorkerId id : {1u, 2u}) {
      world.connects[id] = connects;
      if (connects == World::OnConnect::refuse) world.lose(id);
    }
  }
  World world{std::make_unique<EarliestFinish>(std::vector<unsigned>(3, 8)), workers(), options()};
};

TEST_F(Quota, IsKeptAndTheOthersTakeTheRest) {
  const double over = stream(22'000, 5s);
  EXPECT_LE(over, 2 * quota / 10);
  EXPECT_GE(over, -quota) << "it has its part";
  world.pass(1s);
  EXPECT_EQ(world.ledger().acked, 110'000u) << "and nobody waited for it";
}

TEST_F(Quota, WhenTheOthersAreGoneEverybodyWaitsForItAndNobodyIsGivenUp) {
  stream(5000, 2s);
  others(World::OnConnect::refuse);
  EXPECT_LE(stream(5000, 5s), 2 * quota / 10 + 200) << "a batch that comes back may be larger than its burst";
  EXPECT_GT(world.ledger().queued, 20'000u);
  world.pass(20s);
  EXPECT_EQ(world.ledger().dropped_total(), 0u) << "although each second without a draw would cost one of two attempts";
  others(World::OnConnect::accept);
  world.pass(3s);
  EXPECT_EQ(world.ledger().acked, 35'000u);
  EXPECT_EQ(world.ledger().dropped_total(), 0u);
}

TEST_F(Quota, WhenItIsGoneItself) {
  stream(5000, 1s);
  world.connects[0] = World::OnConnect::refuse;
  world.lose(0);
  stream(5000, 2s);
  world.pass(1s);
  EXPECT_EQ(world.ledger().acked, 15'000u);
  world.connects[0] = World::OnConnect::accept;
  const double over = stream(22'000, 5s);
  EXPECT_LE(over, 2 * quota / 10) << "what it was not given meanwhile it has not saved up";
  EXPECT_GE(over, -quota * 2) << "and it takes part again";
}

}  // namespace
}  // namespace windlass::core
