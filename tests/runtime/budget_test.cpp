#include "runtime/budget.h"

#include <atomic>
#include <cstdint>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include <windlass/error.h>

#include "support/waiting.h"

namespace windlass::runtime {
namespace {

TEST(Budget, HoldsBothOfItsLimits) {
  Budget budget(10, 100);
  EXPECT_FALSE(budget.take(10, 50, false));
  EXPECT_EQ(budget.take(1, 1, false), errc::queue_full);
  budget.give_back(5, 25);
  EXPECT_FALSE(budget.take(1, 75, false));
  EXPECT_EQ(budget.take(1, 1, false), errc::queue_full);
  EXPECT_FALSE(budget.take(4, 0, false));
  budget.give_back(10, 100);
  EXPECT_FALSE(budget.take(10, 100, false));
}

TEST(Budget, RefusesWhatNeverFitsEvenWhenOneWouldWait) {
  Budget budget(10, 100);
  EXPECT_EQ(budget.take(11, 1, true), errc::too_large);
  EXPECT_EQ(budget.take(1, 101, true), errc::too_large);
  EXPECT_FALSE(budget.take(10, 100, true)) << "and takes nothing for it";
}

TEST(Budget, WithoutLimitsHoldsWhatNoMachineDoes) {
  Budget budget(SIZE_MAX, SIZE_MAX);
  constexpr std::size_t million = 1'000'000;
  constexpr std::size_t gigabyte = std::size_t{1} << 30;
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(budget.take(million, gigabyte, false)) << i;
  EXPECT_EQ(budget.take(40 * million, 0, false), errc::queue_full);
  EXPECT_EQ(budget.take(0, 40 * gigabyte, false), errc::queue_full) << "nor do bytes run over into events";
  budget.give_back(100 * million, 100 * gigabyte);
  EXPECT_FALSE(budget.take(134 * million, 127 * gigabyte, false)) << "all of it is there again";
}

TEST(Budget, RefusesEverybodyOnceItIsClosed) {
  Budget budget(10, 100);
  budget.close();
  EXPECT_TRUE(budget.closed());
  EXPECT_EQ(budget.take(1, 1, false), errc::closed);
  EXPECT_EQ(budget.take(1, 1, true), errc::closed);
}

TEST(Budget, TellsThoseWhoWaitThatItCloses) {
  Budget budget(1, 1);
  ASSERT_FALSE(budget.take(1, 1, false));
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) waiting.emplace_back([&] { EXPECT_EQ(budget.take(1, 1, true), errc::closed); });
  budget.close();
  for (std::thread& thread : waiting) thread.join();
}

TEST(Budget, WakesThoseWhoWaitWhenAFairPartIsFree) {
  Budget budget(100, 100);
  ASSERT_FALSE(budget.take(100, 100, false));
  std::thread waiting([&] { EXPECT_FALSE(budget.take(1, 1, true)); });
  budget.give_back(25, 25);
  waiting.join();
}

TEST(Budget, WakesThoseWhoWaitForAnyRoomWhenItIsToldTo) {
  Budget budget(100, 100);
  ASSERT_FALSE(budget.take(100, 100, false));
  std::atomic<bool> taken{false};
  std::thread waiting([&] {
    EXPECT_FALSE(budget.take(1, 1, true));
    taken = true;
  });
  budget.give_back(1, 1);
  while (!taken) budget.wake_for_any_room();
  waiting.join();
}

TEST(Budget, LetsNobodyWaitForEverBecauseOthersNeedLess) {
  Budget budget(10, 100);
  ASSERT_FALSE(budget.take(10, 10, false));
  std::atomic<bool> taken{false};
  std::thread big([&] {
    EXPECT_FALSE(budget.take(8, 8, true));
    taken = true;
  });
  // Others come at once for each bit of room that there is.
  std::size_t held = 10;
  const bool in_the_end = test::eventually([&] {
    for (int i = 0; i < 1000 && !taken; ++i) {
      if (held > 0) budget.give_back(1, 1), --held;
      budget.wake_for_any_room();
      if (!budget.take(1, 1, false)) ++held;
    }
    return taken.load();
  });
  EXPECT_TRUE(in_the_end);
  if (!in_the_end) budget.close();
  big.join();
}

TEST(Budget, ServesEverybodyWhoWaitsWhateverTheyNeed) {
  Budget budget(10, 100);
  ASSERT_FALSE(budget.take(10, 10, false));
  test::Count served;
  std::vector<std::thread> waiting;
  for (const std::size_t events : {1, 9, 2, 10, 1, 5, 10, 3}) {
    waiting.emplace_back([&, events] {
      for (int round = 0; round < 200; ++round) {
        EXPECT_FALSE(budget.take(events, events, true));
        budget.give_back(events, events);
        budget.wake_for_any_room();
      }
      served.add();
    });
  }
  budget.give_back(10, 10);
  budget.wake_for_any_room();
  EXPECT_TRUE(served.wait_for(waiting.size()));
  budget.close();
  for (std::thread& thread : waiting) thread.join();
}

TEST(Budget, IsNotTakenForAMomentByThoseWhoDoNotFit) {
  Budget budget(100, 100);
  ASSERT_FALSE(budget.take(50, 50, false));
  std::atomic<bool> enough{false};
  std::vector<std::thread> too_big;
  for (const auto& [events, bytes] : {std::pair(60, 1), std::pair(1, 60), std::pair(101, 1), std::pair(1, 101)}) {
    too_big.emplace_back([&, events = events, bytes = bytes] {
      while (!enough)
        if (!budget.take(static_cast<std::size_t>(events), static_cast<std::size_t>(bytes), false))
          ADD_FAILURE() << "took what was not there";
    });
  }
  int refused = 0;
  for (int i = 0; i < 200'000; ++i) {
    if (budget.take(1, 1, false)) {
      ++refused;
    } else {
      budget.give_back(1, 1);
    }
  }
  enough = true;
  for (std::thread& thread : too_big) thread.join();
  EXPECT_EQ(refused, 0) << "there was room all the time";
}

TEST(Budget, IsNeverExceededAndNothingIsLostHoweverManyTakeAndGive) {
  Budget budget(10, 1000);
  std::atomic<std::size_t> held{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5'000; ++round) {
        const std::size_t events = i + 1;
        if (budget.take(events, events, round % 2 == 0)) continue;
        EXPECT_LE(held.fetch_add(events) + events, 10u);
        held.fetch_sub(events);
        budget.give_back(events, events);
        budget.wake_for_any_room();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(budget.take(10, 1000, false)) << "all of it is free again";
}

}  // namespace
}  // namespace windlass::runtime
