#include <gtest/gtest.h>

#include <windlass/statistics.h>

#include "base/time.h"

namespace windlass {
namespace {

TEST(Ledger, IsBalancedWhenEveryAcceptedEventIsSomewhere) {
  Ledger ledger;
  EXPECT_TRUE(ledger.balanced());
  ledger.accepted = 15;
  EXPECT_FALSE(ledger.balanced());
  ledger.acked = 1;
  ledger.dropped = {{errc::closed, 2}, {errc::rejected, 3}};
  ledger.dead_lettered = 2;
  ledger.queued = 3;
  ledger.in_flight = 4;
  EXPECT_EQ(ledger.dropped_total(), 5u);
  EXPECT_TRUE(ledger.balanced());
}

TEST(WorkerState, EachHasAWord) {
  EXPECT_STREQ(to_string(WorkerState::standby), "standby");
  EXPECT_STREQ(to_string(WorkerState::waiting), "waiting");
  EXPECT_STREQ(to_string(WorkerState::connecting), "connecting");
  EXPECT_STREQ(to_string(WorkerState::connected), "connected");
  EXPECT_STREQ(to_string(WorkerState::resting), "resting");
  EXPECT_STREQ(to_string(WorkerState::closing), "closing");
}

TEST(Time, WhatIsTooFarAwayIsNever) {
  using namespace std::chrono_literals;
  EXPECT_EQ(base::after(base::Time{1h}, 1h), base::Time{2h});
  EXPECT_EQ(base::after(base::Time{1h}, base::Duration::max()), base::never);
  EXPECT_EQ(base::after(base::never, 1s), base::never);
}

}  // namespace
}  // namespace windlass
