#include "core/hand_out_policy.h"

#include <map>

#include "core/world.h"

namespace windlass::core {
namespace {

/// Notes what the balancer tells it, and answers as it is told.
class Notes final : public HandOutPolicy {
 public:
  struct Seen {
    std::map<AttemptId, WorkerId> live;
    double offered = 0;
    double sent = 0;
    int connected = 0;
    int disconnected = 0;
    int acked = 0;
    int ended = 0;
    int throttled = 0;
    Workers candidates;
    Workers participants;
    Head head;
    base::Time wait_until{};  ///< nothing is handed out before
  };

  explicit Notes(Seen& seen) : seen_(seen) {}

  void on_connected(WorkerId, base::Time) override { ++seen_.connected; }
  void on_disconnected(WorkerId worker) override {
    ++seen_.disconnected;
    for (const auto& [attempt, at] : seen_.live) EXPECT_NE(at, worker) << "the end of its batches comes first";
  }
  void on_offered(double cost, base::Time) override { seen_.offered += cost; }
  void on_sent(WorkerId worker, AttemptId attempt, double cost, base::Time) override {
    EXPECT_TRUE(seen_.live.emplace(attempt, worker).second);
    seen_.sent += cost;
  }
  void on_acked(WorkerId worker, AttemptId attempt, base::Time) override { seen_.acked += end(worker, attempt); }
  void on_ended(WorkerId worker, AttemptId attempt, base::Time) override { seen_.ended += end(worker, attempt); }
  void on_throttled(WorkerId, base::Time) override { ++seen_.throttled; }

  Choice choose(const Workers& candidates, const Workers& participants, const Head& head, base::Time now) override {
    seen_.candidates = candidates;
    seen_.participants = participants;
    seen_.head = head;
    if (now < seen_.wait_until) return {std::nullopt, seen_.wait_until};
    return {candidates.back(), base::never};
  }
  unsigned window(WorkerId) const override { return 1; }
  const char* window_reason(WorkerId) const override { return "noted"; }

 private:
  int end(WorkerId worker, AttemptId attempt) {
    const auto found = seen_.live.find(attempt);
    if (found == seen_.live.end() || found->second != worker) {
      ADD_FAILURE() << "the end of an attempt that was not live there";
      return 0;
    }
    seen_.live.erase(found);
    return 1;
  }

  Seen& seen_;
};

class HandOutPolicyTest : public testing::Test {
 protected:
  World& world(std::size_t workers) {
    return world_.emplace(std::make_unique<Notes>(seen), std::vector<WorkerOptions>(workers), Options());
  }

  Notes::Seen seen;

 private:
  std::optional<World> world_;
};

TEST_F(HandOutPolicyTest, HearsOfTheEndOfEachBatchOnce) {
  World& three = world(3);
  for (int event = 0; event < 3; ++event) three.publish();
  EXPECT_EQ(seen.connected, 3);
  EXPECT_EQ(seen.live.size(), 3u);
  three.answer(three.take().attempt, PublishResult::acked());
  EXPECT_EQ(seen.acked, 1);
  three.answer(three.take().attempt, PublishResult::throttled());
  EXPECT_EQ(seen.throttled, 1);
  EXPECT_EQ(seen.ended, 1);
  three.lose(three.take().worker);
  EXPECT_EQ(seen.ended, 2);
  EXPECT_EQ(seen.disconnected, 1);
  three.everywhere(acknowledging());
  for (const auto& one : three.sent) three.answer(one.attempt, PublishResult::acked());
  ASSERT_TRUE(three.finish());
  EXPECT_EQ(seen.acked, 3);
  EXPECT_TRUE(seen.live.empty());
}

TEST_F(HandOutPolicyTest, ChoosesAmongThoseWithRoomAndKnowsAllThatParticipate) {
  World& three = world(3);
  three.publish();
  EXPECT_EQ(seen.candidates, (std::vector<WorkerId>{0, 1, 2}));
  EXPECT_EQ(three.sent.back().worker, 2u) << "as it chose";
  three.publish();
  EXPECT_EQ(seen.candidates, (std::vector<WorkerId>{0, 1}));
  EXPECT_EQ(seen.participants, (std::vector<WorkerId>{0, 1, 2}));
}

TEST_F(HandOutPolicyTest, IsNotOfferedTheWorkerThatFailedTheBatch) {
  World& two = world(2);
  two.publish();
  const auto failed = two.take();
  two.lose(failed.worker);
  const auto again = two.take();
  two.pass(2s);
  two.lose(again.worker);
  two.pass(2s);  // for the rest of work that failed twice
  EXPECT_EQ(two.state(again.worker), WorkerState::connected);
  EXPECT_EQ(seen.candidates, (std::vector<WorkerId>{failed.worker}));
}

TEST_F(HandOutPolicyTest, ReckonsInBytes) {
  World& one = world(1);
  one.publish_sizes({100});
  EXPECT_EQ(seen.offered, 100.0);
  EXPECT_EQ(seen.sent, 100.0);
  one.publish_sizes({30, 40});
  one.publish_sizes({5});
  one.answer(one.take().attempt, PublishResult::acked());
  EXPECT_EQ(seen.head.queued, 75.0) << "all that waits";
  EXPECT_EQ(seen.head.cost, 75.0) << "which one batch can hold";
}

TEST_F(HandOutPolicyTest, WorkThatItHoldsBackIsAskedForAgainWhenItSaid) {
  World& one = world(1);
  seen.wait_until = one.now + 5s;
  one.publish();
  EXPECT_TRUE(one.sent.empty());
  EXPECT_EQ(one.balancer.next_timeout(), one.now + 5s);
  one.pass(5s);
  EXPECT_EQ(one.sent.size(), 1u);
}

TEST_F(HandOutPolicyTest, ItsWindowIsShown) {
  World& one = world(1);
  one.run();
  EXPECT_EQ(one.figures(0).window, 1u);
  EXPECT_EQ(one.figures(0).window_reason, "noted");
}

}  // namespace
}  // namespace windlass::core
