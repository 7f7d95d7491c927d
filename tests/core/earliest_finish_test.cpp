#include "core/earliest_finish.h"

#include <deque>
#include <gtest/gtest.h>
#include <numeric>
#include <optional>

namespace windlass::core {
namespace {

constexpr double batch = 1000;  ///< bytes of the average batch

base::Time at_ms(double ms) {
  return base::Time(std::chrono::duration_cast<base::Duration>(std::chrono::duration<double, std::milli>(ms)));
}

/// A policy, and endpoints that answer exactly as they are told: a batch takes `service` ms at an endpoint, one after
/// another, and `trip` ms on the line.
class Pool {
 public:
  struct Endpoint {
    double service = 10;
    double trip = 1;
    double free = 0;
    struct Sent {
      AttemptId attempt;
      double answered;
    };
    std::deque<Sent> sent{};
  };

  explicit Pool(std::vector<Endpoint> endpoints, unsigned bound = 100)
      : policy(std::vector<unsigned>(endpoints.size(), bound)), endpoints_(std::move(endpoints)) {
    for (WorkerId id = 0; id < endpoints_.size(); ++id) policy.on_connected(id, at_ms(now));
  }

  Endpoint& endpoint(WorkerId id) { return endpoints_[id]; }

  HandOutPolicy::Choice choose(double queued_batches = 1, double cost = batch) {
    HandOutPolicy::Workers participants(endpoints_.size());
    std::iota(participants.begin(), participants.end(), 0u);
    HandOutPolicy::Workers candidates;
    for (const WorkerId id : participants)
      if (endpoints_[id].sent.size() < policy.window(id)) candidates.push_back(id);
    if (candidates.empty()) return {};
    return policy.choose(candidates, participants, {cost, queued_batches * batch}, at_ms(now));
  }

  void send(WorkerId id, double cost = batch) {
    Endpoint& endpoint = endpoints_[id];
    endpoint.free = std::max(endpoint.free, now + endpoint.trip / 2) + endpoint.service * cost / batch;
    endpoint.sent.push_back({++last_attempt_, endpoint.free + endpoint.trip / 2});
    policy.on_sent(id, last_attempt_, cost, at_ms(now));
  }

  /// Lets time pass until `ms`, with the answers that come meanwhile.
  void advance_to(double ms) {
    while (true) {
      std::optional<WorkerId> next;
      for (WorkerId id = 0; id < endpoints_.size(); ++id) {
        if (endpoints_[id].sent.empty() || endpoints_[id].sent.front().answered > ms) continue;
        if (!next || endpoints_[id].sent.front().answered < endpoints_[*next].sent.front().answered) next = id;
      }
      if (!next) break;
      answer(*next);
    }
    now = ms;
  }

  void answer(WorkerId id) {
    const Endpoint::Sent first = endpoints_[id].sent.front();
    endpoints_[id].sent.pop_front();
    now = first.answered;
    policy.on_acked(id, first.attempt, at_ms(now));
  }

  /// Work never runs out at this worker for so long.
  void keep_busy(WorkerId id, double ms) {
    const double end = now + ms;
    while (now < end) {
      while (endpoints_[id].sent.size() < policy.window(id)) send(id);
      answer(id);
    }
  }

  void answer_all() {
    for (WorkerId id = 0; id < endpoints_.size(); ++id)
      while (!endpoints_[id].sent.empty()) answer(id);
  }

  /// Every worker has answered a few batches, idle and busy, and nothing is in flight.
  void get_known() {
    for (WorkerId id = 0; id < endpoints_.size(); ++id) {
      keep_busy(id, 20 * (endpoints_[id].service + endpoints_[id].trip));
      answer_all();
      for (int i = 0; i < 4; ++i) {
        send(id);
        answer_all();
      }
    }
  }

  /// As batches arrive at this rate for a while.
  void arrivals(double batches_a_second, double ms) {
    for (double end = now + ms; now < end; now += 1e3 / batches_a_second) policy.on_offered(batch, at_ms(now));
  }

  double now = 1000;
  EarliestFinish policy;

 private:
  std::vector<Endpoint> endpoints_;
  AttemptId last_attempt_ = 0;
};

// ---- windows

TEST(EarliestFinish, StartsWithAWindowOfTwo) {
  Pool pool({{10, 1}});
  EXPECT_EQ(pool.policy.window(0), 2u);
}

TEST(EarliestFinish, KeepsASmallWindowOnANearEndpoint) {
  Pool pool({{10, 1}});
  pool.keep_busy(0, 5000);
  EXPECT_LE(pool.policy.window(0), 3u);
}

TEST(EarliestFinish, FillsALongLineAndLittleMore) {
  Pool pool({{1, 50}});
  pool.keep_busy(0, 2000);
  // 50 on the line, one at work, and a standing queue of 2 sqrt(50).
  EXPECT_GE(pool.policy.window(0), 51u);
  EXPECT_LE(pool.policy.window(0), 80u);
}

TEST(EarliestFinish, GrowsTheWindowWithinThreeRoundTrips) {
  Pool pool({{1, 50}});
  pool.keep_busy(0, 130);
  EXPECT_GE(pool.policy.window(0), 40u);
}

TEST(EarliestFinish, ShrinksTheWindowWhenTheEndpointBecomesSlow) {
  Pool pool({{1, 50}});
  pool.keep_busy(0, 2000);
  pool.endpoint(0).service = 50;
  pool.keep_busy(0, 30000);
  EXPECT_LE(pool.policy.window(0), 6u);
}

TEST(EarliestFinish, NeverExceedsTheBoundOfAWorker) {
  Pool pool({{1, 50}}, 7);
  pool.keep_busy(0, 2000);
  EXPECT_EQ(pool.policy.window(0), 7u);
  EXPECT_STREQ(pool.policy.window_reason(0), "at its bound");
  Pool narrow({{1, 50}}, 1);
  EXPECT_EQ(narrow.policy.window(0), 1u);
  narrow.keep_busy(0, 2000);
  EXPECT_EQ(narrow.policy.window(0), 1u);
}

TEST(EarliestFinish, HalvesTheWindowOfAnEndpointThatThrottles) {
  Pool pool({{1, 50}});
  pool.keep_busy(0, 2000);
  const unsigned before = pool.policy.window(0);
  pool.policy.on_throttled(0, at_ms(pool.now));
  EXPECT_EQ(pool.policy.window(0), before / 2);
  EXPECT_STREQ(pool.policy.window_reason(0), "halved: throttled");
  for (int i = 0; i < 20; ++i) pool.policy.on_throttled(0, at_ms(pool.now));
  EXPECT_EQ(pool.policy.window(0), 1u);
}

TEST(EarliestFinish, ForgetsWhatItKnewWhenTheConnectionIsNew) {
  Pool pool({{1, 50}});
  pool.keep_busy(0, 2000);
  pool.answer_all();
  pool.policy.on_disconnected(0);
  pool.policy.on_connected(0, at_ms(pool.now));
  EXPECT_EQ(pool.policy.window(0), 2u);
}

TEST(EarliestFinish, LooksAtTheLineWithoutLoadNowAndThen) {
  Pool pool({{1, 50}});
  pool.keep_busy(0, 2000);
  unsigned least = pool.policy.window(0);
  unsigned light = 0;
  const int steps = 20000;
  for (int i = 0; i < steps; ++i) {
    pool.keep_busy(0, 0.5);
    least = std::min(least, pool.policy.window(0));
    light += pool.policy.window(0) < 45;
  }
  EXPECT_LT(least, 45u);
  EXPECT_LT(light, steps / 20u) << "holding the window low costs capacity";
}

// ---- the choice

TEST(EarliestFinish, TriesEachNewWorkerOnce) {
  Pool pool({{10, 1}, {10, 1}, {10, 1}});
  for (int i = 0; i < 3; ++i) {
    const auto choice = pool.choose();
    ASSERT_TRUE(choice.worker);
    EXPECT_TRUE(pool.endpoint(*choice.worker).sent.empty());
    pool.send(*choice.worker);
  }
}

TEST(EarliestFinish, PicksTheFasterOfTwoThatAreIdle) {
  Pool pool({{10, 1}, {1, 1}});
  pool.get_known();
  EXPECT_EQ(pool.choose().worker, WorkerId{1});
}

TEST(EarliestFinish, CountsTheLineToo) {
  Pool pool({{1, 50}, {10, 1}});
  pool.get_known();
  EXPECT_EQ(pool.choose().worker, WorkerId{1});
}

TEST(EarliestFinish, PrefersTheBetterEndpointForALargeBatchEvenIfItIsFar) {
  Pool pool({{1, 50}, {10, 1}});
  pool.get_known();
  EXPECT_EQ(pool.choose(20, 20 * batch).worker, WorkerId{0});
}

TEST(EarliestFinish, HoldsWorkBackForAFasterEndpoint) {
  Pool pool({{100, 1}, {1, 1}});
  pool.get_known();
  pool.arrivals(100, 2000);
  pool.policy.on_sent(1, 1001, batch, at_ms(pool.now));
  pool.policy.on_sent(1, 1002, batch, at_ms(pool.now));
  const auto choice = pool.policy.choose({0}, {0, 1}, {batch, batch}, at_ms(pool.now));
  EXPECT_FALSE(choice.worker) << "the fast one is free in 2 ms, and the slow one would take 101";
  EXPECT_GT(choice.until, at_ms(pool.now));
  EXPECT_LT(choice.until, at_ms(pool.now + 101));
}

TEST(EarliestFinish, GivesTheSlowEndpointWorkWhenTheQueueIsLongerThanTheFastOneCanTake) {
  Pool pool({{100, 1}, {1, 1}});
  pool.get_known();
  pool.arrivals(100, 2000);
  pool.policy.on_sent(1, 1001, batch, at_ms(pool.now));
  pool.policy.on_sent(1, 1002, batch, at_ms(pool.now));
  EXPECT_EQ(pool.policy.choose({0}, {0, 1}, {batch, 200 * batch}, at_ms(pool.now)).worker, WorkerId{0});
}

TEST(EarliestFinish, HoldsNothingBackWhenMoreArrivesThanTheFastOnesCanTake) {
  Pool pool({{100, 1}, {1, 1}});
  pool.get_known();
  pool.arrivals(1500, 2000);
  pool.policy.on_sent(1, 1001, batch, at_ms(pool.now));
  pool.policy.on_sent(1, 1002, batch, at_ms(pool.now));
  EXPECT_EQ(pool.policy.choose({0}, {0, 1}, {batch, batch}, at_ms(pool.now)).worker, WorkerId{0});
}

TEST(EarliestFinish, BindsLateWhereABatchWouldOnlyWaitAtANearEndpoint) {
  Pool pool({{10, 1}, {10, 1}});
  pool.get_known();
  pool.arrivals(50, 2000);
  pool.send(0);
  pool.send(1);
  EXPECT_FALSE(pool.choose().worker) << "both have just begun: whichever is free first shall have it";
  EXPECT_TRUE(pool.choose(10).worker) << "there is enough for both";
  pool.advance_to(pool.now + 9.5);
  EXPECT_TRUE(pool.choose().worker) << "it is on its way while the endpoint finishes";
}

TEST(EarliestFinish, NeverHoldsBackFromAWorkerThatIsAlone) {
  Pool pool({{100, 1}});
  pool.get_known();
  pool.arrivals(1, 2000);
  pool.send(0);
  EXPECT_EQ(pool.choose().worker, WorkerId{0});
}

// ---- who is not well

TEST(EarliestFinish, GivesNothingToAWorkerThatIsOverdue) {
  Pool pool({{10, 1}, {10, 1}});
  pool.get_known();
  pool.policy.on_sent(0, 1001, batch, at_ms(pool.now));
  EXPECT_FALSE(pool.policy.is_suspect(0, at_ms(pool.now + 11)));
  const base::Time late = at_ms(pool.now + 200);
  ASSERT_TRUE(pool.policy.is_suspect(0, late));
  EXPECT_EQ(pool.policy.choose({0, 1}, {0, 1}, {batch, 100 * batch}, late).worker, WorkerId{1});
}

TEST(EarliestFinish, TrustsItAgainAtTheFirstAcknowledgement) {
  Pool pool({{10, 1}, {10, 1}});
  pool.get_known();
  pool.policy.on_sent(0, 1001, batch, at_ms(pool.now));
  pool.policy.on_acked(0, 1001, at_ms(pool.now + 200));
  EXPECT_FALSE(pool.policy.is_suspect(0, at_ms(pool.now + 200)));
}

TEST(EarliestFinish, ShutsNobodyOutWhenAllAreOverdue) {
  Pool pool({{10, 1}, {10, 1}});
  pool.get_known();
  pool.policy.on_sent(0, 1001, batch, at_ms(pool.now));
  pool.policy.on_sent(1, 1002, batch, at_ms(pool.now));
  const base::Time late = at_ms(pool.now + 500);
  ASSERT_TRUE(pool.policy.is_suspect(0, late) && pool.policy.is_suspect(1, late));
  EXPECT_TRUE(pool.policy.choose({0, 1}, {0, 1}, {batch, 100 * batch}, late).worker);
}

TEST(EarliestFinish, ProbesAWorkerThatWasStalledAsSoonAsItIsIdle) {
  Pool pool({{100, 1}, {1, 1}});
  pool.get_known();
  pool.policy.on_sent(0, 1001, batch, at_ms(pool.now));
  pool.now += 1000;
  EXPECT_EQ(pool.choose().worker, WorkerId{1});
  pool.policy.on_ended(0, 1001, at_ms(pool.now));
  EXPECT_EQ(pool.choose().worker, WorkerId{0});
}

TEST(EarliestFinish, ProbesAnIdleWorkerFromTimeToTime) {
  Pool pool({{100, 1}, {1, 1}});
  pool.get_known();
  EXPECT_EQ(pool.choose().worker, WorkerId{1});
  pool.advance_to(pool.now + 10000);
  EXPECT_EQ(pool.choose().worker, WorkerId{0}) << "it may have become faster";
}

TEST(EarliestFinish, BelievesAProbeThatTellsOfAnotherWorld) {
  Pool pool({{100, 1}, {10, 1}});
  pool.get_known();
  pool.endpoint(0).service = 1;
  pool.advance_to(pool.now + 10000);
  ASSERT_EQ(pool.choose().worker, WorkerId{0});
  for (const WorkerId id : {0, 1}) pool.send(id);
  pool.answer_all();
  EXPECT_EQ(pool.choose().worker, WorkerId{0});
}

// ---- the unit

TEST(EarliestFinish, KeepsItsEstimatesWhenBatchesBecomeLarger) {
  Pool pool({{10, 1}, {1, 1}});
  pool.get_known();
  for (int i = 0; i < 500; ++i) {
    pool.send(1, 10 * batch);
    pool.answer_all();
  }
  pool.send(0, 10 * batch);
  pool.answer_all();
  EXPECT_EQ(pool.choose(10, 10 * batch).worker, WorkerId{1});
  EXPECT_LE(pool.policy.window(1), 4u);
}

// ---- hedging

/// Where a second copy would go, of whatever is in flight.
HandOutPolicy::Hedge hedge(Pool& pool, const HandOutPolicy::Workers& candidates) {
  return pool.policy.hedge(
      candidates, [](AttemptId, WorkerId) { return true; }, at_ms(pool.now));
}

TEST(EarliestFinishHedges, ABatchThatIsOverdueToTheWorkerThatIsDoneWithItFirst) {
  Pool pool({{10, 1}, {10, 1}, {5, 1}});
  pool.get_known();
  pool.send(0);
  const auto early = hedge(pool, {1, 2});
  EXPECT_FALSE(early.worker);
  EXPECT_GT(early.until, at_ms(pool.now + 10));
  EXPECT_LT(early.until, at_ms(pool.now + 100)) << "it will be overdue by then";
  pool.now += 100;
  const auto due = hedge(pool, {1, 2});
  EXPECT_EQ(due.worker, 2u);
}

TEST(EarliestFinishHedges, NothingWhereNobodyWouldBeQuickerThanItsWorkerMayBe) {
  Pool pool({{10, 1}, {300, 1}});
  pool.get_known();
  pool.send(0);
  pool.now += 60;
  const auto slow = hedge(pool, {1});
  EXPECT_FALSE(slow.worker) << "it may be answered sooner than that";
  EXPECT_GT(slow.until, at_ms(pool.now));
  pool.now += 1000;
  EXPECT_EQ(hedge(pool, {1}).worker, 1u);
}

TEST(EarliestFinishHedges, NothingToAWorkerThatIsOverdueItself) {
  Pool pool({{10, 1}, {10, 1}});
  pool.get_known();
  pool.send(0);
  pool.send(1);
  pool.now += 100;
  EXPECT_FALSE(hedge(pool, {0, 1}).worker);
}

TEST(EarliestFinishHedges, OnlyWhatTheBalancerLets) {
  Pool pool({{10, 1}, {10, 1}});
  pool.get_known();
  pool.send(0);
  pool.now += 100;
  const auto none = pool.policy.hedge(
      {1}, [](AttemptId, WorkerId) { return false; }, at_ms(pool.now));
  EXPECT_FALSE(none.worker);
  EXPECT_EQ(none.until, base::never) << "until something happens";
}

TEST(EarliestFinishHedges, AProbeSoonerThanOtherBatches) {
  Pool pool({{100, 1}, {10, 1}});
  pool.get_known();
  pool.now += 10'000;  // nobody has heard of either for long
  ASSERT_EQ(pool.choose().worker, 0u) << "a probe";
  pool.send(0);
  pool.now += 50;  // half of what it takes, but five times what the other one takes
  EXPECT_EQ(hedge(pool, {1}).worker, 1u);
}

}  // namespace
}  // namespace windlass::core
