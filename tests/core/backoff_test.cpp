#include "core/backoff.h"

#include <chrono>
#include <gtest/gtest.h>

namespace windlass::core {
namespace {

using namespace std::chrono_literals;

struct Range {
  base::Duration least = base::Duration::max();
  base::Duration most{0};
};

/// The waits that a failure may cause `later` than the first one.
Range waits(base::Duration later, base::Duration first = 1s, base::Duration most = 60s) {
  base::Random random(1);
  Range range;
  for (int times = 0; times < 5000; ++times) {
    Backoff backoff(first, most);
    backoff.failed(base::Time{1h}, random);
    const base::Duration wait = backoff.failed(base::Time{1h} + later, random);
    range.least = std::min(range.least, wait);
    range.most = std::max(range.most, wait);
  }
  return range;
}

TEST(Backoff, TheFirstWaitIsUpToTheFirst) {
  const Range range = waits(0s);
  EXPECT_LE(range.most, 1s);
  EXPECT_GT(range.most, 990ms);
  EXPECT_GE(range.least, 62500us) << "and not nothing";
  EXPECT_LT(range.least, 80ms);
}

TEST(Backoff, GrowsToAQuarterOfTheTimeThatItHasBeenFailing) {
  EXPECT_LE(waits(40s).most, 10s);
  EXPECT_GT(waits(40s).most, 9900ms);
  EXPECT_LE(waits(2s).most, 1s) << "but not below the first";
}

TEST(Backoff, NeverExceedsTheMost) {
  EXPECT_LE(waits(24h).most, 60s);
  EXPECT_GT(waits(24h).most, 59s);
}

TEST(Backoff, WaitsAreSpreadEvenly) {
  base::Random random(1);
  int below_half = 0;
  for (int times = 0; times < 10000; ++times) {
    Backoff backoff(16s, 16s);
    below_half += backoff.failed(base::Time{}, random) < 8500ms;
  }
  EXPECT_NEAR(below_half, 5000, 200);
}

TEST(Backoff, ASuccessBeginsItAnew) {
  base::Random random(1);
  Backoff backoff(1s, 60s);
  EXPECT_FALSE(backoff.failing());
  backoff.failed(base::Time{1h}, random);
  EXPECT_TRUE(backoff.failing());
  backoff.succeeded();
  EXPECT_FALSE(backoff.failing());
  for (int times = 0; times < 100; ++times) {
    EXPECT_LE(backoff.failed(base::Time{10h}, random), 1s);
    backoff.succeeded();
  }
}

TEST(Backoff, AFirstAboveTheMostIsTheMost) {
  const Range range = waits(24h, 10s, 1s);
  EXPECT_LE(range.most, 10s);
  EXPECT_GT(range.most, 9s);
}

TEST(Backoff, AWaitOfNothingIsAShortOne) {
  const Range range = waits(0s, 0s, 0s);
  EXPECT_GT(range.least, 0s);
  EXPECT_LE(range.most, 1ms);
}

}  // namespace
}  // namespace windlass::core
