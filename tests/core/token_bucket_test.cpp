#include "core/token_bucket.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <vector>

namespace windlass::core {
namespace {

using namespace std::chrono_literals;

constexpr base::Time start{1h};

TEST(TokenBucket, GivesABurstAtOnceAndThenOwesForTheLastBatch) {
  TokenBucket bucket(1000);
  EXPECT_EQ(bucket.burst(), 100.0);
  bucket.spend(100, start);
  EXPECT_TRUE(bucket.gives(start)) << "nothing is owed yet";
  bucket.spend(500, start);
  EXPECT_FALSE(bucket.gives(start + 500ms - 1ns));
  EXPECT_TRUE(bucket.gives(start + 500ms));
  EXPECT_EQ(bucket.gives_from(), start + 500ms);
}

TEST(TokenBucket, FillsUpToTheBurstAndNoFurther) {
  TokenBucket bucket(1000);
  bucket.spend(600, start);
  EXPECT_EQ(bucket.full_at(), start + 600ms);
  bucket.spend(101, start + 24h);
  EXPECT_EQ(bucket.gives_from(), start + 24h + 1ms);
}

TEST(TokenBucket, HoldsOneEventAtLeast) {
  TokenBucket bucket(0.5);
  EXPECT_EQ(bucket.burst(), 1.0);
  bucket.spend(1, start);
  EXPECT_TRUE(bucket.gives(start));
  bucket.spend(1, start);
  EXPECT_EQ(bucket.gives_from(), start + 2s);
}

TEST(TokenBucket, SaysWhatItCanGiveByThen) {
  TokenBucket bucket(1000);
  EXPECT_DOUBLE_EQ(bucket.until(start, start), 100);
  EXPECT_DOUBLE_EQ(bucket.until(start + 1s, start), 1100);
  bucket.spend(300, start);
  EXPECT_DOUBLE_EQ(bucket.until(start + 100ms, start), 0);
  EXPECT_DOUBLE_EQ(bucket.until(start + 250ms, start), 50);
}

TEST(TokenBucket, AnotherRateForgivesNothingAndTakesNothing) {
  TokenBucket bucket(1000);
  bucket.spend(300, start);
  bucket.set_rate(2000, start);
  EXPECT_EQ(bucket.gives_from(), start + 50ms) << "300 are missing of 200";
  TokenBucket full(1000);
  full.set_rate(10, start);
  EXPECT_DOUBLE_EQ(full.until(start, start), 1);
}

TEST(TokenBucket, CountsTheTimeForWhichItGaveNothing) {
  TokenBucket bucket(1000);
  bucket.spend(300, start);
  EXPECT_EQ(bucket.was_empty(start), 0s);
  EXPECT_EQ(bucket.was_empty(start + 150ms), 150ms);
  EXPECT_EQ(bucket.was_empty(start + 5s), 200ms);
  bucket.spend(200, start + 10s);
  EXPECT_EQ(bucket.was_empty(start + 10s + 50ms), 250ms);
  bucket.set_rate(10000, start + 10s + 50ms);
  EXPECT_EQ(bucket.was_empty(start + 1h), 250ms) << "nothing was owed any more";
}

TEST(TokenBucket, IsNeitherStuckNorOverflowsWithRatesBeyondSense) {
  TokenBucket slow(1e-300);
  slow.spend(1, start);
  slow.spend(1, start);
  EXPECT_FALSE(slow.gives(start + std::chrono::hours(24 * 365)));
  for (int i = 0; i < 100; ++i) slow.spend(1'000'000, start);
  EXPECT_FALSE(slow.gives(start));
  TokenBucket fast(1e12);
  for (int i = 0; i < 100; ++i) fast.spend(1'000'000, start);
  EXPECT_TRUE(fast.gives(start));
}

/// A batch, and the wait before it is asked for.
struct Wanted {
  std::size_t events;
  base::Duration after;
};

RC_GTEST_PROP(TokenBucketProperty, InAnyIntervalItGivesAtMostTheRateTheBurstAndOneBatch, ()) {
  const double rate = *rc::gen::element(0.3, 7.0, 1000.0, 99999.5);
  const auto wanted = *rc::gen::container<std::vector<Wanted>>(
      rc::gen::build<Wanted>(rc::gen::set(&Wanted::events, rc::gen::inRange<std::size_t>(1, 3000)),
                             rc::gen::set(&Wanted::after, rc::gen::map(rc::gen::inRange<std::int64_t>(0, 400'000'000),
                                                                       [](auto ns) { return base::Duration(ns); }))));
  TokenBucket bucket(rate);
  std::vector<std::pair<base::Time, double>> given;
  base::Time now = start;
  for (const Wanted& one : wanted) {
    now += one.after;
    if (!bucket.gives(now) && one.events % 2 == 0) now = bucket.gives_from();
    if (!bucket.gives(now)) continue;
    bucket.spend(one.events, now);
    given.emplace_back(now, static_cast<double>(one.events));
  }
  for (std::size_t first = 0; first < given.size(); ++first) {
    double sum = 0;
    for (std::size_t last = first; last < given.size(); ++last) {
      sum += given[last].second;
      const double seconds = std::chrono::duration<double>(given[last].first - given[first].first).count();
      RC_ASSERT(sum <= rate * seconds + bucket.burst() + given[last].second + 1e-3);
    }
  }
}

RC_GTEST_PROP(TokenBucketProperty, WhoTakesWhatThereIsGetsTheWholeRate, ()) {
  const double rate = *rc::gen::element(0.3, 7.0, 1000.0, 99999.5);
  const auto batch = *rc::gen::inRange<std::size_t>(1, 3000);
  TokenBucket bucket(rate);
  base::Time now = start;
  double given = 0;
  for (int i = 0; i < 200; ++i) {
    bucket.spend(batch, now);
    given += static_cast<double>(batch);
    now = std::max(now, bucket.gives_from());
  }
  const double seconds = std::chrono::duration<double>(now - start).count();
  RC_ASSERT(given >= rate * seconds * (1 - 1e-6));
}

}  // namespace
}  // namespace windlass::core
