#include "base/random.h"

#include <array>
#include <gtest/gtest.h>

namespace windlass::base {
namespace {

TEST(Random, ASeedIsTheWholeRun) {
  Random one(42);
  Random same(42);
  Random other(43);
  EXPECT_EQ(one(), same());
  EXPECT_NE(one(), other());
}

TEST(Random, IsTheGeneratorThatItSays) {
  // The first values of SplitMix64 for the seed 1234567, as its authors' reference code gives them.
  Random random(1234567);
  EXPECT_EQ(random(), 6457827717110365317ull);
  EXPECT_EQ(random(), 3203168211198807973ull);
  EXPECT_EQ(random(), 9817491932198370423ull);
}

TEST(Random, BelowIsEvenAndBelow) {
  Random random(1);
  std::array<int, 7> seen{};
  for (int times = 0; times < 70000; ++times) {
    const auto value = random.below(7);
    ASSERT_LT(value, 7u);
    ++seen[value];
  }
  for (const int times : seen) EXPECT_NEAR(times, 10000, 500);
  EXPECT_EQ(random.below(0), 0u);
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, UnitIsAtLeastZeroAndBelowOne) {
  Random random(1);
  double sum = 0;
  for (int times = 0; times < 100000; ++times) {
    const double value = random.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.01);
}

TEST(Random, ChanceIsAsOftenAsItSays) {
  Random random(1);
  int times = 0;
  for (int tries = 0; tries < 100000; ++tries) times += random.chance(0.2);
  EXPECT_NEAR(times, 20000, 600);
  EXPECT_FALSE(random.chance(0));
  EXPECT_TRUE(random.chance(1));
}

}  // namespace
}  // namespace windlass::base
