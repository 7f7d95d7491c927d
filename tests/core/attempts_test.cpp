#include "core/attempts.h"

#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <vector>

namespace windlass::core {
namespace {

Work work_of(std::size_t events) {
  auto buffer = std::make_shared<EventBuffer>();
  for (std::size_t event = 0; event < events; ++event) buffer->append("x");
  Work work;
  work.batch = Batch(std::move(buffer));
  return work;
}

TEST(Attempts, AreFoundByTheirId) {
  Attempts attempts;
  const AttemptId first = attempts.add(work_of(1), 7, base::Time{}).id;
  const AttemptId second = attempts.add(work_of(2), 8, base::Time{}).id;
  ASSERT_TRUE(attempts.find(first));
  EXPECT_EQ(attempts.find(first)->worker, 7u);
  EXPECT_EQ(attempts.find(second)->worker, 8u);
  EXPECT_EQ(attempts.find(second)->unacked(), 2u);
}

TEST(Attempts, OneThatIsOverIsFoundNoMore) {
  Attempts attempts;
  const AttemptId over = attempts.add(work_of(1), 0, base::Time{}).id;
  EXPECT_EQ(attempts.remove(*attempts.find(over)).work.batch.size(), 1u);
  EXPECT_FALSE(attempts.find(over));
  const AttemptId next = attempts.add(work_of(1), 0, base::Time{}).id;
  EXPECT_FALSE(attempts.find(over)) << "though its slot is in use again";
  EXPECT_TRUE(attempts.find(next));
}

TEST(Attempts, NoIdIsEverUsedAgain) {
  Attempts attempts;
  std::set<AttemptId> seen;
  std::vector<AttemptId> live;
  for (int times = 0; times < 10000; ++times) {
    const AttemptId id = attempts.add(work_of(1), 0, base::Time{}).id;
    ASSERT_TRUE(seen.insert(id).second);
    live.push_back(id);
    if (live.size() < 5) continue;
    const AttemptId over = live[times % 5];
    live.erase(live.begin() + times % 5);
    attempts.remove(*attempts.find(over));
  }
}

TEST(Attempts, WhatWasNeverThereIsNotFound) {
  Attempts attempts;
  EXPECT_FALSE(attempts.find(0));
  EXPECT_FALSE(attempts.find(~AttemptId{0}));
  attempts.add(work_of(1), 0, base::Time{});
  EXPECT_FALSE(attempts.find(0)) << "a slot that was never used has no attempt";
  EXPECT_FALSE(attempts.find(12345));
}

}  // namespace
}  // namespace windlass::core
