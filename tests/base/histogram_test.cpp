#include "base/histogram.h"

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <vector>

#include "base/random.h"

namespace windlass::base {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, OfNothingSaysNothing) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile(0.5), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
}

TEST(Histogram, OneValueIsEachQuantile) {
  Histogram histogram;
  histogram.add(12345678ns);
  for (const double share : {0.0, 0.5, 1.0}) EXPECT_EQ(histogram.quantile(share), 12345678ns);
}

TEST(Histogram, QuantilesAreOffBySixPercentAtMostAndNeverTooLow) {
  for (const std::uint64_t scale : {10ull, 1'000ull, 1'000'000ull, 60'000'000'000ull}) {
    Random random(scale);
    Histogram histogram;
    std::vector<std::int64_t> values;
    for (int count = 0; count < 10001; ++count) {
      values.push_back(static_cast<std::int64_t>(random.below(scale)));
      histogram.add(std::chrono::nanoseconds(values.back()));
    }
    std::sort(values.begin(), values.end());
    for (const double share : {0.1, 0.5, 0.9, 0.99, 1.0}) {
      const auto exact = values[static_cast<std::size_t>(std::max(1.0, share * 10001 + 0.5)) - 1];
      const auto found = histogram.quantile(share).count();
      EXPECT_GE(found, exact);
      EXPECT_LE(static_cast<double>(found), static_cast<double>(exact) * 1.0625);
    }
    EXPECT_EQ(histogram.max().count(), values.back());
  }
}

TEST(Histogram, ExtremesHaveTheirPlace) {
  Histogram histogram;
  histogram.add(std::chrono::nanoseconds::max());
  histogram.add(-5ns);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.quantile(0.25), 0ns) << "no time runs backwards";
  EXPECT_EQ(histogram.quantile(1), std::chrono::nanoseconds::max());
}

TEST(Histogram, MergedHistogramsCountAsOne) {
  Histogram first;
  Histogram second;
  for (int count = 0; count < 90; ++count) first.add(1ms);
  for (int count = 0; count < 10; ++count) second.add(1s);
  first.merge(second);
  EXPECT_EQ(first.count(), 100u);
  EXPECT_EQ(first.max(), 1s);
  EXPECT_LT(first.quantile(0.9), 2ms);
  EXPECT_EQ(first.quantile(0.95), 1s);
}

}  // namespace
}  // namespace windlass::base
