// Two copies of one batch: whichever is first counts, and nothing is sent, settled or counted twice for that.
#include <algorithm>
#include <memory>
#include <optional>

#include "core/earliest_finish.h"
#include "core/world.h"

namespace windlass::core {
namespace {

/// Fixed windows, and second copies where the test wants one.
class Wishes final : public HandOutPolicy {
 public:
  struct Wish {
    AttemptId attempt = 0;
    std::optional<WorkerId> worker;  ///< none: nobody wants anything
    bool refused = false;
    base::Time until = base::never;
    Workers candidates;
  };
  Wishes(Wish& wish, std::size_t workers) : wish_(wish), windows_(fixed_windows(std::vector<unsigned>(workers, 2))) {}

  void on_sent(WorkerId worker, AttemptId attempt, double cost, base::Time now) override {
    windows_->on_sent(worker, attempt, cost, now);
  }
  void on_acked(WorkerId worker, AttemptId attempt, base::Time now) override {
    windows_->on_acked(worker, attempt, now);
  }
  void on_ended(WorkerId worker, AttemptId attempt, base::Time now) override {
    windows_->on_ended(worker, attempt, now);
  }
  Choice choose(const Workers& candidates, const Workers& participants, const Head& head, base::Time now) override {
    return windows_->choose(candidates, participants, head, now);
  }
  Hedge hedge(const Workers& candidates, const MayHedge& may, base::Time) override {
    wish_.candidates = candidates;
    if (!wish_.worker) return {0, std::nullopt, wish_.until};
    const WorkerId worker = *std::exchange(wish_.worker, std::nullopt);
    wish_.refused =
        std::find(candidates.begin(), candidates.end(), worker) == candidates.end() || !may(wish_.attempt, worker);
    if (wish_.refused) return {};
    return {wish_.attempt, worker, base::never};
  }
  unsigned window(WorkerId worker) const override { return windows_->window(worker); }
  const char* window_reason(WorkerId worker) const override { return windows_->window_reason(worker); }

 private:
  Wish& wish_;
  std::unique_ptr<HandOutPolicy> windows_;
};

class Hedging : public testing::Test {
 protected:
  static constexpr std::uint32_t events = 4;

  /// Three workers, and one batch that is under way.
  explicit Hedging(Options options = with_budget(1)) : world(std::make_unique<Wishes>(wish, 3), workers(), options) {
    world.publish(events);
    first = world.take();
  }
  static Options with_budget(double share) {
    Options options;
    options.max_duplicates = share;
    options.max_attempts = 2;
    return options;
  }
  static std::vector<WorkerOptions> workers() { return std::vector<WorkerOptions>(3); }

  /// A second copy of the attempt goes to this worker; false where that may not be.
  bool wish_for(AttemptId attempt, WorkerId worker) {
    wish.attempt = attempt;
    wish.worker = worker;
    world.run();
    return !wish.refused;
  }
  WorkerId another() const { return first.worker == 0 ? 1 : 0; }
  void hedge() {
    ASSERT_TRUE(wish_for(first.attempt, another()));
    second = world.take();
    ASSERT_EQ(second.worker, another());
  }
  void expect_ended_once() {
    EXPECT_EQ(world.heard[0].times, 1u);
    EXPECT_EQ(world.ledger().in_flight, 0u);
    EXPECT_EQ(world.ledger().queued, 0u);
  }

  Wishes::Wish wish;
  World world;
  World::Sent first;
  World::Sent second;
};

TEST_F(Hedging, TheFirstAcknowledgementWinsAndTheSecondIsADuplicate) {
  hedge();
  EXPECT_EQ(world.ledger().hedged, events);
  EXPECT_EQ(world.ledger().in_flight, events) << "an event is in flight once, in however many copies";
  EXPECT_EQ(world.figures(first.worker).in_flight, events);
  EXPECT_EQ(world.figures(second.worker).in_flight, events);

  world.answer(second.attempt, PublishResult::acked());
  EXPECT_EQ(world.heard[0].acked, events);
  expect_ended_once();
  EXPECT_EQ(world.figures(second.worker).acked, events);
  EXPECT_EQ(world.figures(first.worker).in_flight, events) << "its endpoint is still at it";

  world.answer(first.attempt, PublishResult::acked());
  expect_ended_once();
  EXPECT_EQ(world.ledger().acked, events);
  EXPECT_EQ(world.ledger().duplicates, events);
  EXPECT_EQ(world.figures(first.worker).acked, 0u);
  EXPECT_EQ(world.figures(first.worker).batches, 1u) << "it answered like any other";
}

TEST_F(Hedging, WhatEitherCopyAcknowledgesIsAcknowledged) {
  world.progress(first.attempt, 1);
  hedge();
  EXPECT_EQ(second.batch.size(), 3u) << "what is known to be done is not sent again";
  world.progress(first.attempt, 2);
  PublishResult last_only;
  last_only.rest = {{0, errc::temporary}, {1, errc::temporary}};
  world.answer(second.attempt, last_only);
  EXPECT_EQ(world.ledger().acked, 3u) << "the first two here, the last one there";
  EXPECT_EQ(world.ledger().in_flight, 1u);
  EXPECT_EQ(world.ledger().queued, 0u) << "the first copy is still under way";
  world.answer(first.attempt, PublishResult::acked());
  EXPECT_EQ(world.ledger().duplicates, 1u);
  expect_ended_once();
}

TEST_F(Hedging, NothingIsSentAgainUntilTheLastCopyHasFailed) {
  hedge();
  world.lose(first.worker);
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.ledger().in_flight, events);
  world.lose(second.worker);
  EXPECT_EQ(world.ledger().retried, events);
  world.pass(2s);
  EXPECT_EQ(world.take().worker, 2u) << "to the one that has not failed it";
}

TEST_F(Hedging, OnlyWhatNoCopyAcknowledgedIsSentAgain) {
  hedge();
  world.answer(second.attempt, PublishResult::acked_first(3, errc::temporary));
  world.lose(first.worker);
  world.pass(2s);  // it failed twice
  const auto again = world.take();
  EXPECT_EQ(again.batch.size(), 1u);
  EXPECT_EQ(again.batch[0], "0.3");
}

TEST_F(Hedging, TwoCopiesAreOneAttempt) {
  hedge();
  world.lose(first.worker);
  world.lose(second.worker);
  world.pass(2s);
  const auto again = world.take();
  EXPECT_EQ(world.heard[0].times, 0u) << "one of two attempts is spent";
  world.lose(again.worker);
  EXPECT_EQ(world.heard[0].reason, errc::attempts_exhausted);
}

TEST_F(Hedging, ARejectionByOneCopyStands) {
  hedge();
  PublishResult without_one = PublishResult::acked();
  without_one.rest = {{1, errc::rejected}};
  world.answer(second.attempt, without_one);
  EXPECT_EQ(world.heard[0].acked, 3u);
  EXPECT_EQ(world.heard[0].failed, 1u);
  world.answer(first.attempt, PublishResult::acked());
  expect_ended_once();
  EXPECT_EQ(world.ledger().acked, 3u);
}

TEST_F(Hedging, ABatchIsHedgedOnceAndNotOnItsOwnConnection) {
  EXPECT_FALSE(wish_for(first.attempt, first.worker));
  hedge();
  EXPECT_FALSE(wish_for(first.attempt, 2));
  EXPECT_FALSE(wish_for(second.attempt, 2));
}

TEST_F(Hedging, NoSecondCopyGoesToAWorkerThatFailed) {
  world.publish();
  const auto other = world.take();
  world.answer(other.attempt, PublishResult::failed(errc::temporary));
  world.take();  // elsewhere
  world.pass(2s);
  EXPECT_EQ(world.state(other.worker), WorkerState::connected);
  world.run();
  EXPECT_EQ(std::count(wish.candidates.begin(), wish.candidates.end(), other.worker), 0);
}

TEST_F(Hedging, WhatIsAcknowledgedOnTheWayNeedsNoSecondCopy) {
  world.progress(first.attempt, events);
  EXPECT_FALSE(wish_for(first.attempt, another()));
}

TEST_F(Hedging, ACloseSignalsBothCopiesOnce) {
  hedge();
  world.close();
  EXPECT_EQ(world.heard[0].reason, errc::closed);
  EXPECT_EQ(world.dropped(errc::closed), events);
  expect_ended_once();
}

TEST_F(Hedging, ADrainDoesNotWaitForTheSlowCopy) {
  hedge();
  world.drain(1h);
  world.answer(second.attempt, PublishResult::acked());
  EXPECT_TRUE(world.balancer.closed());
  expect_ended_once();
}

TEST_F(Hedging, AStragglerThatIsNeverAnsweredCostsItsWorkerTheConnection) {
  hedge();
  world.answer(second.attempt, PublishResult::acked());
  world.pass(30s);
  EXPECT_NE(world.state(first.worker), WorkerState::connected);
  expect_ended_once();
  EXPECT_EQ(world.ledger().retried, 0u);
}

TEST_F(Hedging, ThePolicyIsAskedAgainWhenItSaid) {
  wish.until = world.now + 5s;
  world.run();
  EXPECT_EQ(world.balancer.next_timeout(), world.now + 5s) << "although nothing is queued";
}

class HedgingWithoutABudget : public Hedging {
 protected:
  HedgingWithoutABudget() : Hedging(with_budget(0)) {}
};

TEST_F(HedgingWithoutABudget, NothingIsHedged) {
  wish_for(first.attempt, another());
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.ledger().hedged, 0u);
}

TEST(HedgeBudget, IsAShareOfWhatWasAcknowledged) {
  HedgeBudget budget(0.5, 10);
  EXPECT_TRUE(budget.allows(32)) << "to begin with";
  EXPECT_FALSE(budget.allows(33));
  budget.spend(32);
  EXPECT_FALSE(budget.allows(1));
  budget.acknowledged(9);
  EXPECT_TRUE(budget.allows(4));
  EXPECT_FALSE(budget.allows(5));
  budget.acknowledged(1'000'000);
  EXPECT_TRUE(budget.allows(640)) << "64 batches are kept";
  EXPECT_FALSE(budget.allows(641));
}

/// The whole of it: three endpoints, of which one stops to answer.
TEST(HedgingByEarliestFinish, GetsPastAnEndpointThatFallsSilentLongBeforeItsTimeout) {
  Options options;
  options.max_duplicates = 0.01;
  options.bulk_max_events = 1;
  const std::vector<WorkerOptions> workers(3);
  World world(std::make_unique<EarliestFinish>(std::vector<unsigned>(3, 64)), workers, options);
  world.everywhere(acknowledging(10ms));
  for (int i = 0; i < 1000; ++i) {
    world.after(i * 10ms, [&] { world.publish(); });
  }
  world.after(5s, [&] { world.endpoints[1] = silent(); });
  world.pass(10s);
  EXPECT_TRUE(world.finish(300ms));
  EXPECT_EQ(world.succeeded(), 1000u);
  EXPECT_GE(world.ledger().hedged, 1u);
  EXPECT_LE(world.ledger().hedged, 32 + 10u);
}

}  // namespace
}  // namespace windlass::core
