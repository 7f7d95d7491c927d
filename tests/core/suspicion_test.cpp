#include "core/suspicion.h"

#include <gtest/gtest.h>

namespace windlass::core {
namespace {

class SuspicionTest : public testing::Test {
 protected:
  void fail(EndpointId endpoint) { suspicion.failed_at(endpoint, endpoints); }

  Endpoints endpoints;
  EndpointId a = endpoints.meet("a");
  EndpointId b = endpoints.meet("b");
  Suspicion suspicion;
};

TEST_F(SuspicionTest, TwoFailuresWantHalves) {
  fail(a);
  EXPECT_FALSE(suspicion.wants_halves());
  EXPECT_FALSE(suspicion.is_strong());
  fail(b);
  EXPECT_TRUE(suspicion.wants_halves());
  EXPECT_TRUE(suspicion.is_strong());
}

TEST_F(SuspicionTest, ABatchIsBadWhenAnEndpointThatFailedItHasServedOthersSince) {
  endpoints.served(a);
  fail(a);
  EXPECT_FALSE(suspicion.is_batch_bad(endpoints)) << "it served before, and may have broken since";
  endpoints.served(b);
  EXPECT_FALSE(suspicion.is_batch_bad(endpoints)) << "that one has not failed it";
  endpoints.served(a);
  EXPECT_TRUE(suspicion.is_batch_bad(endpoints));
}

TEST_F(SuspicionTest, AnEventIsUndeliverableWhenTwoEndpointsFailedItThatServeOthers) {
  fail(a);
  fail(b);
  EXPECT_FALSE(suspicion.undeliverable(endpoints));
  endpoints.served(a);
  EXPECT_FALSE(suspicion.undeliverable(endpoints));
  endpoints.served(b);
  EXPECT_TRUE(suspicion.undeliverable(endpoints));
}

TEST_F(SuspicionTest, OneEndpointThatServesOthersMustFailItThreeTimes) {
  fail(a);
  endpoints.served(a);
  fail(a);
  EXPECT_FALSE(suspicion.undeliverable(endpoints));
  fail(a);
  EXPECT_TRUE(suspicion.undeliverable(endpoints));
}

TEST_F(SuspicionTest, EventsThatWereNamedEachTimeNeedNoHalves) {
  for (int times = 0; times < 3; ++times) suspicion.failed_at(a, endpoints, true);
  EXPECT_TRUE(suspicion.names_events());
  EXPECT_FALSE(suspicion.wants_halves());
  endpoints.served(a);
  EXPECT_TRUE(suspicion.undeliverable(endpoints));
}

TEST_F(SuspicionTest, OneFailureOfAllTogetherLeavesItOpenWhichOfThemIsBad) {
  suspicion.failed_at(a, endpoints, true);
  suspicion.failed_at(a, endpoints, false);
  suspicion.failed_at(a, endpoints, true);
  EXPECT_FALSE(suspicion.names_events());
  EXPECT_TRUE(suspicion.wants_halves());
  suspicion.split(endpoints);
  EXPECT_FALSE(suspicion.names_events()) << "nothing is known of the halves";
  suspicion.failed_at(a, endpoints, true);
  EXPECT_TRUE(suspicion.names_events());
}

TEST_F(SuspicionTest, WhileNobodyServesNothingIsUndeliverable) {
  for (int times = 0; times < 100; ++times) fail(times % 2 == 0 ? a : b);
  EXPECT_FALSE(suspicion.undeliverable(endpoints));
  EXPECT_FALSE(suspicion.is_batch_bad(endpoints));
  EXPECT_TRUE(suspicion.keeps_failing());
}

TEST_F(SuspicionTest, AHalfBeginsWithoutFailuresAndItsOtherHalfIsOtherWork) {
  fail(a);
  fail(b);
  suspicion.split(endpoints);
  EXPECT_FALSE(suspicion.wants_halves());
  EXPECT_TRUE(suspicion.is_strong()) << "it still may take a connection with it";
  EXPECT_TRUE(suspicion.accusers().empty());
  endpoints.served(a);  // the other half
  fail(a);
  EXPECT_TRUE(suspicion.is_batch_bad(endpoints));
}

TEST_F(SuspicionTest, ProgressEndsIt) {
  fail(a);
  fail(b);
  endpoints.served(a);
  suspicion.clear();
  EXPECT_FALSE(suspicion.is_strong());
  EXPECT_FALSE(suspicion.is_batch_bad(endpoints));
  fail(a);
  EXPECT_FALSE(suspicion.is_batch_bad(endpoints)) << "what was served before no longer counts";
}

}  // namespace
}  // namespace windlass::core
