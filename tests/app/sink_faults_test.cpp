#include "app/sink_faults.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace windlass::app {
namespace {

using namespace std::chrono_literals;

TEST(SinkRates, AreOneOrSeveralEachFromATimeOn) {
  EXPECT_EQ(parse_rates("5000/s"), (std::vector<RateFrom>{{0s, 5000}}));
  EXPECT_EQ(parse_rates("20k/s, 1k/s@5s ,20k/s@1m"), (std::vector<RateFrom>{{0s, 20'000}, {5s, 1000}, {60s, 20'000}}));
}

TEST(SinkRates, AreRefusedWithoutATimeOrOutOfOrder) {
  std::string many = "1/s";
  for (int second = 1; second <= 64; ++second) many += ",1/s@" + std::to_string(second) + "s";
  for (const std::string& text :
       {std::string(""), std::string("1/s,2/s"), std::string("1/s@5s"), std::string("1/s,"), std::string("1/s,2/s@"),
        std::string("1/s,2/s@0s"), std::string("1/s,2/s@5s,3/s@5s"), std::string("1/s,fast@5s"), many})
    EXPECT_FALSE(parse_rates(text)) << text;
}

}  // namespace
}  // namespace windlass::app
