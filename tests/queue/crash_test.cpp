// Crashes at every step of a workload, with what was not synced kept, lost or torn: nothing durable is lost, and what
// was durably acknowledged does not come back. The model looks.

#include <algorithm>
#include <gtest/gtest.h>

#include "queue/lockstep.h"

namespace windlass::queue {
namespace {

constexpr DiskQueue::Options small{4096, 512};

/// Everything that a queue goes through: several segments, acknowledgements out of order, removals, a segment that is
/// used again, a reopening.
void work(Lockstep& both) {
  const auto goes_on = [&] { return !both.disk.down(); };
  both.open();
  for (int round = 0; round < 6 && goes_on(); ++round) {
    both.append(3);
    both.append(1, true);
    if (goes_on()) both.sync();
    both.append(5);
    if (goes_on() && round % 2 == 0) both.sync();
    while (goes_on() && both.read()) {
    }
    for (std::uint64_t which = 0; which < 6 && goes_on(); ++which) both.ack(which * 31 + round);
    if (goes_on()) both.save_position(round % 3 == 1);
    if (goes_on() && round == 2) both.ack_all();
    if (goes_on()) both.remove_done(round == 4);
    if (goes_on() && round == 3) both.reopen();
  }
}

std::uint64_t steps_of_work() {
  Lockstep both(small);
  work(both);
  const std::vector<std::string> names = both.disk.list();
  EXPECT_TRUE(std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    SegmentHeader header;
    return name.ends_with(".seg") && !parse_segment_header(both.disk.content(name), header) && header.reused;
  })) << "no segment was used again";
  return both.disk.steps;
}

const char* name_of(Fate fate) {
  switch (fate) {
    case Fate::kept:
      return "kept";
    case Fate::lost:
      return "lost";
    case Fate::torn:
      return "torn";
    case Fate::mixed:
      return "mixed";
  }
  return "";
}

class Crashes : public testing::TestWithParam<Fate> {};
INSTANTIATE_TEST_SUITE_P(WithUnsyncedData, Crashes, testing::Values(Fate::kept, Fate::lost, Fate::torn, Fate::mixed),
                         [](const auto& fate) { return name_of(fate.param); });

TEST_P(Crashes, AtEveryStepLoseNothingThatWasDurable) {
  const std::uint64_t steps = steps_of_work();
  ASSERT_GT(steps, 50u);
  const std::uint64_t seeds = GetParam() == Fate::kept || GetParam() == Fate::lost ? 1 : 12;
  for (std::uint64_t step = 1; step <= steps; ++step) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      Lockstep both(small);
      both.disk.crash_at = step;
      work(both);
      ASSERT_TRUE(both.disk.down());
      both.crash(GetParam(), seed * 1000 + step);
      // It goes on as if nothing had been.
      both.append(4);
      both.sync();
      both.read_all();
      both.ack(step);
      both.reopen();
      if (HasFailure()) FAIL() << "at step " << step << " with seed " << seed;
    }
  }
}

TEST_P(Crashes, WhileItRecoversLoseNothingEither) {
  const std::uint64_t steps = steps_of_work();
  for (std::uint64_t step = 5; step <= steps; step += 7) {
    for (std::uint64_t again = 1; again < 12; ++again) {
      Lockstep both(small);
      both.disk.crash_at = step;
      work(both);
      both.disk.come_back(GetParam(), step);
      both.disk.crash_at = both.disk.steps + again;
      std::unique_ptr<DiskQueue> queue;
      DiskQueue::open(both.disk.storage(), small, queue);
      both.disk.go_down();
      queue.reset();
      both.crash(GetParam(), again);
      if (HasFailure()) FAIL() << "at step " << step << ", and again at " << again;
    }
  }
}

}  // namespace
}  // namespace windlass::queue
