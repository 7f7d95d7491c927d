// Random steps, taken by the queue and by its model.

#include "queue/lockstep.h"

#include <gtest/gtest.h>

namespace windlass::queue {
namespace {

void run(std::uint64_t seed) {
  base::Random random(seed);
  const std::uint64_t segment_size = 128 + random.below(1024);
  Lockstep both({segment_size * (2 + random.below(8)), segment_size});
  both.disk.capacity = random.chance(0.3) ? 300 + random.below(6000) : ~std::uint64_t{0};
  both.open();
  for (int step = 0; step < 120 && !testing::Test::HasFailure(); ++step) {
    const std::uint64_t number = random();
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        both.append(1 + number % 9, number % 5 == 0);
        break;
      case 4:
      case 5:
        both.sync();
        break;
      case 6:
      case 7:
        both.read();
        break;
      case 8:
      case 9:
      case 10:
        both.ack(number % 1000);
        break;
      case 11:
        both.save_position(number % 2 == 0);
        break;
      case 12:
        both.remove_done(number % 2 == 0);
        break;
      case 13:
        if (number % 3 == 0) both.reopen();
        break;
      case 14:
        if (number % 3 == 0) both.crash(static_cast<Fate>(number / 3 % 4), number);
        break;
      case 15:
        if (number % 4 != 0) break;
        both.disk.fail_syncs = true;
        both.sync();
        both.disk.fail_syncs = false;
        break;
    }
  }
  both.read_all();
  EXPECT_GE(both.queue().events(), both.unacked());
}

TEST(DiskQueueLockstep, DoesWhatItsModelDoes) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    run(seed);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace windlass::queue
