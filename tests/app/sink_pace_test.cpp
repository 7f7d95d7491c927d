#include "app/sink_pace.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <rapidcheck/gtest.h>

namespace windlass::app {
namespace {

using namespace std::chrono_literals;

constexpr base::Time start = base::Time(5s);

// Takes whatever is allowed, whenever the pace says that it is worth asking, until `end`.
std::uint64_t taken_until(Pace& pace, base::Time now, base::Time end) {
  std::uint64_t taken = 0;
  while (now <= end) {
    const std::uint64_t count = pace.allowance(now);
    pace.spend(count);
    taken += count;
    now = pace.next(now);
  }
  return taken;
}

TEST(SinkPace, WithoutARateAllowsEverythingAtOnce) {
  Pace pace({}, start);
  EXPECT_FALSE(pace.limited());
  EXPECT_EQ(pace.allowance(start), std::numeric_limits<std::uint64_t>::max());
  pace.spend(1'000'000);
  EXPECT_EQ(pace.next(start), start);
}

TEST(SinkPace, BeginsWithNothingAndGathersWithTime) {
  Pace pace({{0s, 1000}}, start);
  EXPECT_EQ(pace.allowance(start), 0u);
  EXPECT_EQ(pace.allowance(start + 10ms), 10u);
  pace.spend(4);
  EXPECT_EQ(pace.allowance(start + 10ms), 6u);
}

TEST(SinkPace, DoesNotMakeUpForALongPause) {
  Pace pace({{0s, 1000}}, start);
  EXPECT_EQ(pace.allowance(start + 1h), 50u);
}

TEST(SinkPace, ChangesWhenItIsTime) {
  Pace pace({{0s, 1000}, {10s, 100}, {20s, 1000}}, start);
  EXPECT_NEAR(static_cast<double>(taken_until(pace, start, start + 10s)), 10'000, 1);
  EXPECT_NEAR(static_cast<double>(taken_until(pace, start + 10s, start + 20s)), 1'000, 1);
  EXPECT_NEAR(static_cast<double>(taken_until(pace, start + 20s, start + 30s)), 10'000, 1);
}

TEST(SinkPace, IsAskedAgainWhenASlowRateEnds) {
  Pace pace({{0s, 0.001}, {2s, 1000}}, start);
  EXPECT_EQ(pace.allowance(start + 1s), 0u);
  EXPECT_EQ(pace.next(start + 1s), start + 2s);
  EXPECT_EQ(pace.allowance(start + 2010ms), 10u);
}

TEST(SinkPace, AllowsASingleEventNowAndThenWhereTheRateIsLow) {
  Pace pace({{0s, 0.5}}, start);
  EXPECT_EQ(pace.allowance(start + 1900ms), 0u);
  const base::Time next = pace.next(start + 1900ms);
  EXPECT_GE(next, start + 2s);
  EXPECT_LE(next, start + 2001ms);
  EXPECT_EQ(pace.allowance(next), 1u);
}

RC_GTEST_PROP(SinkPace, KeepsTheRateInTheLongRun, ()) {
  const auto rate = static_cast<double>(*rc::gen::inRange<std::uint64_t>(1, 5'000'000)) / 3;
  Pace pace({{0s, rate}}, start);
  const double taken = static_cast<double>(taken_until(pace, start, start + 10s));
  RC_ASSERT(taken <= rate * 10 + 1);
  RC_ASSERT(taken >= rate * 10 * 0.99 - 2);
}

RC_GTEST_PROP(SinkPace, AsksToBeAskedNoMoreOftenThanEveryTwoMilliseconds, ()) {
  const auto rate = static_cast<double>(*rc::gen::inRange<std::uint64_t>(1, 5'000'000));
  Pace pace({{0s, rate}}, start);
  const auto now = start + std::chrono::microseconds(*rc::gen::inRange(0, 100'000));
  pace.spend(pace.allowance(now));
  RC_ASSERT(pace.next(now) >= now + 2ms);
}

}  // namespace
}  // namespace windlass::app
