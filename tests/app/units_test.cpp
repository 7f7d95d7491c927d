#include "app/units.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace windlass::app {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadsDurationsAsPeopleWriteThem) {
  const std::vector<std::pair<std::string, base::Duration>> cases{
      {"30s", 30s},   {"1m30s", 90s}, {"500ms", 500ms}, {"1.5h", 90min}, {"30", 30s},    {"0", 0s},
      {"0.5", 500ms}, {"10us", 10us}, {"10µs", 10us},   {"7ns", 7ns},    {" 2m ", 2min}, {"1h2m3s", 1h + 2min + 3s}};
  for (const auto& [text, duration] : cases) EXPECT_EQ(parse_duration(text), duration) << text;
}

TEST(Units, RefusesWhatIsNoDuration) {
  for (const char* text : {"", " ", "soon", "-1s", "+1s", "s", "1x", "1m30", "1 s", "1e3s", "inf", "nan", "1s,", "300y",
                           "99999999999h", "1..2s", ".", "0x10s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(Units, ReadsSizesAsPeopleWriteThem) {
  const std::vector<std::pair<std::string, std::uint64_t>> cases{{"0", 0},
                                                                 {"4096", 4096},
                                                                 {"10MiB", 10 << 20},
                                                                 {"10mb", 10'000'000},
                                                                 {"10 MB", 10'000'000},
                                                                 {"1.5KiB", 1536},
                                                                 {"1k", 1000},
                                                                 {"2GiB", 2ull << 30},
                                                                 {"3B", 3},
                                                                 {"1tib", 1ull << 40}};
  for (const auto& [text, size] : cases) EXPECT_EQ(parse_size(text), size) << text;
}

TEST(Units, RefusesWhatIsNoSize) {
  for (const char* text : {"", "big", "-1", "1XB", "1 M B", "MiB", "99999999TB", "1e9", "inf"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(Units, ReadsIntegersAndNothingElse) {
  EXPECT_EQ(parse_integer("42"), 42);
  EXPECT_EQ(parse_integer("-1"), -1);
  EXPECT_EQ(parse_integer("+7"), 7);
  EXPECT_EQ(parse_integer("007"), 7);
  for (const char* text : {"", "+", "-", "+-1", "1.0", "1k", "0x10", "99999999999999999999", "one"})
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
}

TEST(Units, ReadsRatesAsPeopleWriteThem) {
  EXPECT_EQ(parse_rate("5000/s"), 5000);
  EXPECT_EQ(parse_rate("5000"), 5000);
  EXPECT_EQ(parse_rate(" 0.5/s "), 0.5);
  EXPECT_EQ(parse_rate("2.5k/s"), 2500);
  EXPECT_EQ(parse_rate("1M"), 1'000'000);
  EXPECT_EQ(parse_rate("300/min"), 5);
  EXPECT_EQ(parse_rate("7.2k/h"), 2);
}

TEST(Units, RefusesWhatIsNoRate) {
  for (const char* text :
       {"", "/s", "k", "0", "0/s", "-5", "inf", "nan", "1e3", "5000/m", "5 000", "5x/s", "9999999M/s", "5/s/s", "5//s"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(Units, ReadsShares) {
  EXPECT_EQ(parse_share("0.01"), 0.01);
  EXPECT_EQ(parse_share(" 1% "), 0.01);
  EXPECT_EQ(parse_share("0.5 %"), 0.005);
  EXPECT_EQ(parse_share("0"), 0.0);
  EXPECT_EQ(parse_share("1"), 1.0);
  EXPECT_EQ(parse_share("100%"), 1.0);
  for (const char* text : {"", "%", "-0.1", "1.01", "101%", "1 %%", "0.1x", "nan", "1e-2"})
    EXPECT_EQ(parse_share(text), std::nullopt) << text;
}

TEST(Units, ReadsBooleansInAnyCase) {
  for (const char* text : {"true", "True", "YES", "on"}) EXPECT_EQ(parse_boolean(text), true) << text;
  for (const char* text : {"false", "FALSE", "no", "Off"}) EXPECT_EQ(parse_boolean(text), false) << text;
  for (const char* text : {"", "1", "0", "truee", "y"}) EXPECT_EQ(parse_boolean(text), std::nullopt) << text;
}

TEST(Units, ShowsDurationsSizesAndCountsShortly) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(90min), "1h30m");
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(3us), "3us");
  EXPECT_EQ(format_size(512), "512 B");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_size(10 << 20), "10 MiB");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(999.7), "1.00k");
  EXPECT_EQ(format_count(12345), "12.3k");
  EXPECT_EQ(format_count(1'250'000), "1.25M");
}

RC_GTEST_PROP(Units, ADurationThatIsShownIsReadBackAsItWas, ()) {
  // Up to some days in milliseconds: nothing is lost in a double.
  const auto duration = std::chrono::milliseconds(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000));
  const auto read = parse_duration(format_duration(duration));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == duration);
}

}  // namespace
}  // namespace windlass::app
