#include "app/sink_faults.h"

#include <gtest/gtest.h>

namespace windlass::app {
namespace {

TEST(SinkRate, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(parse_rate("5000/s"), 5000);
  EXPECT_EQ(parse_rate("5000"), 5000);
  EXPECT_EQ(parse_rate(" 0.5/s "), 0.5);
  EXPECT_EQ(parse_rate("2.5k/s"), 2500);
  EXPECT_EQ(parse_rate("1M"), 1'000'000);
}

TEST(SinkRate, IsRefusedWhereItIsNone) {
  for (const char* text :
       {"", "/s", "k", "0", "0/s", "-5", "inf", "nan", "1e3", "5000/m", "5 000", "5x/s", "9999999M/s"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

}  // namespace
}  // namespace windlass::app
