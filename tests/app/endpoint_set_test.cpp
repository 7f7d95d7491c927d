#include "app/endpoint_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace windlass::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Host host(std::string name, unsigned priority = 0) {
  Host result(net::HostPort{std::move(name), 5044});
  result.priority = priority;
  return result;
}

std::vector<std::string> names(const std::vector<Host>& hosts) {
  std::vector<std::string> result;
  for (const Host& each : hosts) result.push_back(each.address.host);
  return result;
}

TEST(EndpointSet, TellsWhoJoinsAndWhoLeaves) {
  EndpointSet set(false);
  EXPECT_THAT(names(set.become({host("b"), host("a")}).join), ElementsAre("b", "a"));
  const EndpointSet::Change change = set.become({host("c"), host("a")});
  EXPECT_THAT(change.leave, ElementsAre("b:5044"));
  EXPECT_THAT(names(change.join), ElementsAre("c"));
  EXPECT_TRUE(set.become({host("a"), host("c")}).empty()) << "the order is no change";
}

TEST(EndpointSet, AnAddressThatStandsThereTwiceCountsOnce) {
  EndpointSet set(false);
  EXPECT_THAT(names(set.become({host("a"), host("b"), host("a", 1)}).join), ElementsAre("a", "b"));
  EXPECT_TRUE(set.become({host("a"), host("b")}).empty());
}

TEST(EndpointSet, WhoIsKnownBySomethingElseLeavesAndJoins) {
  EndpointSet set(false);
  set.become({host("a")});
  const EndpointSet::Change change = set.become({host("a", 1)});
  EXPECT_THAT(change.leave, ElementsAre("a:5044"));
  ASSERT_THAT(names(change.join), ElementsAre("a"));
  EXPECT_EQ(change.join[0].priority, 1u);
}

TEST(EndpointSet, OneAtATimeWhoJoinsIsTheReserveOfThoseThatAreThere) {
  EndpointSet set(true);
  const auto first = set.become({host("a"), host("b"), host("s", 1)}).join;
  ASSERT_EQ(first.size(), 3u);
  EXPECT_LT(first[0].priority, first[1].priority);
  EXPECT_LT(first[1].priority, first[2].priority) << "the next group";
  const auto second = set.become({host("c"), host("b"), host("s", 1)}).join;
  ASSERT_THAT(names(second), ElementsAre("c"));
  EXPECT_GT(second[0].priority, first[1].priority);
  EXPECT_LT(second[0].priority, first[2].priority);
}

TEST(EndpointSet, SharingTheWorkAllOfAGroupAreAlike) {
  EndpointSet set(false);
  const auto joined = set.become({host("a"), host("b")}).join;
  EXPECT_EQ(joined[0].priority, joined[1].priority);
}

}  // namespace
}  // namespace windlass::app
