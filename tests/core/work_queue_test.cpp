#include "core/work_queue.h"

#include <chrono>
#include <gtest/gtest.h>
#include <optional>
#include <rapidcheck/gtest.h>
#include <string>

namespace windlass::core {
namespace {

using namespace std::chrono_literals;

/// The next batch for this worker, as the balancer draws it: not what it failed last while others participate.
std::optional<Work> draw_for(WorkQueue& queue, WorkerId worker, bool others, base::Time now) {
  for (std::size_t i = 0; i < queue.retries().size(); ++i) {
    const Work& work = queue.retries()[i];
    if (work.not_before <= now && !(others && work.failed_at == worker)) return queue.take_retry(i, now);
  }
  if (!queue.has_fresh()) return std::nullopt;
  return queue.take_fresh(~0u, now);
}

class WorkQueueTest : public testing::Test {
 protected:
  WorkQueue& queue() {
    if (!queue_) queue_.emplace(options, Backoff(1s, 60s));
    return *queue_;
  }
  std::shared_ptr<Submission> push(std::size_t events, std::size_t bytes = 10, bool guaranteed = false) {
    auto submission = std::make_shared<Submission>();
    for (std::size_t event = 0; event < events; ++event) submission->append(std::string(bytes, 'x'));
    submission->guaranteed = guaranteed;
    queue().push(submission, now);
    return submission;
  }
  Work draw(WorkerId worker = 0, bool others = false) {
    std::optional<Work> work = draw_for(queue(), worker, others, now);
    EXPECT_TRUE(work);
    return work ? std::move(*work) : Work();
  }
  bool nothing(WorkerId worker = 0, bool others = false) { return !draw_for(queue(), worker, others, now); }
  void give_back(Work work, WorkerId worker, base::Duration wait = 0s) {
    work.failed_at = worker;
    work.not_before = work.waiting_since = now + wait;
    queue().push_retry(std::move(work));
  }

  Options options;
  base::Time now{1h};

 private:
  std::optional<WorkQueue> queue_;
};

TEST_F(WorkQueueTest, HasNothingAtFirst) {
  EXPECT_TRUE(queue().empty());
  EXPECT_TRUE(nothing());
  EXPECT_EQ(queue().next_expiry(), base::never);
  EXPECT_EQ(queue().next_available(now), base::never);
}

TEST_F(WorkQueueTest, JoinsNeighboursIntoOneBatch) {
  push(2);
  push(3);
  EXPECT_EQ(draw().batch.size(), 5u);
  EXPECT_TRUE(queue().empty());
}

TEST_F(WorkQueueTest, CutsByEvents) {
  options.bulk_max_events = 4;
  const auto first = push(3);
  push(7);
  EXPECT_EQ(draw().batch.size(), 4u);
  const Work second = draw();
  EXPECT_EQ(second.batch.size(), 4u);
  EXPECT_EQ(second.batch.slices().front().first, 1u) << "from where the first was cut";
  EXPECT_EQ(draw().batch.size(), 2u);
  EXPECT_TRUE(queue().empty());
}

TEST_F(WorkQueueTest, CutsByBytes) {
  options.bulk_max_bytes = 35;
  push(5, 10);
  EXPECT_EQ(draw().batch.size(), 3u);
  push(1, 15);
  push(1, 1);
  EXPECT_EQ(draw().batch.bytes(), 35u) << "full to the byte";
  EXPECT_EQ(draw().batch.bytes(), 1u);
}

TEST_F(WorkQueueTest, AnEventThatExceedsTheBytesTravelsAlone) {
  options.bulk_max_bytes = 100;
  push(1, 10);
  push(2, 500);
  push(1, 10);
  EXPECT_EQ(draw().batch.bytes(), 10u);
  EXPECT_EQ(draw().batch.bytes(), 500u);
  EXPECT_EQ(draw().batch.bytes(), 500u);
  EXPECT_EQ(draw().batch.bytes(), 10u);
}

TEST_F(WorkQueueTest, EventsOfNoBytesAreLimitedByTheirNumber) {
  options.bulk_max_events = 3;
  options.bulk_max_bytes = 0;
  push(7, 0);
  EXPECT_EQ(draw().batch.size(), 3u);
}

TEST_F(WorkQueueTest, GuaranteedAndOtherWorkAreNotJoined) {
  push(1);
  push(1, 10, true);
  push(1, 10, true);
  const Work plain = draw();
  EXPECT_EQ(plain.batch.size(), 1u);
  EXPECT_FALSE(plain.unlimited);
  EXPECT_EQ(plain.attempts_left, options.max_attempts);
  const Work guaranteed = draw();
  EXPECT_EQ(guaranteed.batch.size(), 2u);
  EXPECT_TRUE(guaranteed.unlimited);
}

TEST_F(WorkQueueTest, NoLimitOfAttemptsAndGuaranteedByOptionAreTheSame) {
  options.max_attempts = 0;
  push(1);
  EXPECT_TRUE(draw().unlimited);
  options.max_attempts = 4;
  options.guaranteed = true;
  push(1);
  EXPECT_TRUE(draw().unlimited);
}

TEST_F(WorkQueueTest, KeepsTheOrderOfArrivalWithRetriesFirst) {
  options.bulk_max_events = 1;
  const auto first = push(1);
  const auto second = push(1);
  Work retry = draw();
  give_back(std::move(retry), 0);
  EXPECT_EQ(draw().batch.slices()[0].buffer, first);
  EXPECT_EQ(draw().batch.slices()[0].buffer, second);
}

TEST_F(WorkQueueTest, WorkIsPassedOverByTheWorkerThatFailedItWhileOthersParticipate) {
  push(1);
  give_back(draw(3), 3);
  EXPECT_TRUE(nothing(3, true));
  EXPECT_EQ(draw(3, false).batch.size(), 1u) << "but nobody else is there to take it";
}

TEST_F(WorkQueueTest, AWorkerTakesNewWorkInsteadOfWhatItFailed) {
  push(1);
  give_back(draw(3), 3);
  push(2);
  EXPECT_EQ(draw(3, true).batch.size(), 2u);
  EXPECT_EQ(draw(4, true).batch.size(), 1u);
}

TEST_F(WorkQueueTest, WorkThatRestsIsNotDrawnBeforeItsTime) {
  push(1);
  give_back(draw(), 0, 5s);
  EXPECT_FALSE(queue().empty());
  EXPECT_TRUE(nothing());
  EXPECT_EQ(queue().next_available(now), now + 5s);
  now += 5s;
  EXPECT_EQ(queue().next_available(now), base::never) << "it is there";
  EXPECT_EQ(draw().batch.size(), 1u);
}

TEST_F(WorkQueueTest, AWaitThatHasCostAllAttemptsExpires) {
  options.max_attempts = 3;
  options.timeout = 10s;
  push(4);
  EXPECT_EQ(queue().next_expiry(), now + 30s);
  now += 30s - 1ns;
  EXPECT_TRUE(queue().take_expired(now).empty());
  now += 1ns;
  const std::vector<Work> expired = queue().take_expired(now);
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].batch.size(), 4u);
  EXPECT_TRUE(queue().empty());
  EXPECT_EQ(queue().next_expiry(), base::never);
}

TEST_F(WorkQueueTest, WaitsAreChargedWhenSomethingIsDrawnAgain) {
  options.max_attempts = 4;
  options.timeout = 10s;
  options.bulk_max_events = 1;
  push(2);
  now += 5s;
  push(1);
  now += 20s;
  EXPECT_EQ(draw().attempts_left, 2) << "25 s have cost two of them";
  EXPECT_EQ(draw().attempts_left, 2);
  EXPECT_EQ(draw().attempts_left, 2) << "as 20 s have";
}

TEST_F(WorkQueueTest, AnythingDrawnBeginsAllWaitsAnew) {
  options.max_attempts = 1;
  options.timeout = 10s;
  options.bulk_max_events = 1;
  push(3);
  now += 9s;
  draw();
  EXPECT_EQ(queue().next_expiry(), now + 10s);
  now += 9s;
  EXPECT_EQ(draw().attempts_left, 1);
  EXPECT_TRUE(queue().take_expired(now + 9s).empty());
  EXPECT_EQ(queue().take_expired(now + 10s).size(), 1u);
}

TEST_F(WorkQueueTest, WhatIsDrawnJustAfterItExpiredHasItsLastAttempt) {
  options.max_attempts = 2;
  options.timeout = 10s;
  push(1);
  now += 1min;
  EXPECT_EQ(draw().attempts_left, 1);
}

TEST_F(WorkQueueTest, OnlyWhatIsLeftOfASubmissionExpires) {
  options.max_attempts = 1;
  options.timeout = 10s;
  options.bulk_max_events = 2;
  push(5);
  draw();
  now += 10s;
  const std::vector<Work> expired = queue().take_expired(now);
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].batch.size(), 3u);
  EXPECT_EQ(expired[0].batch.slices()[0].first, 2u);
}

TEST_F(WorkQueueTest, UnlimitedWorkNeverExpiresAndHidesNothingBehindIt) {
  options.max_attempts = 1;
  options.timeout = 10s;
  push(1, 10, true);
  EXPECT_EQ(queue().next_expiry(), base::never);
  push(1);
  push(1, 10, true);
  EXPECT_EQ(queue().next_expiry(), now + 10s);
  now += 24h;
  EXPECT_EQ(queue().take_expired(now).size(), 1u);
  EXPECT_EQ(queue().next_expiry(), base::never);
  EXPECT_EQ(draw().batch.size(), 2u) << "which are neighbours now";
}

TEST_F(WorkQueueTest, RetriesExpireToo) {
  options.max_attempts = 2;
  options.timeout = 10s;
  push(1);
  Work work = draw();
  work.attempts_left = 1;
  give_back(std::move(work), 0, 3s);
  EXPECT_EQ(queue().next_expiry(), now + 13s) << "the wait counts from the end of its rest";
  now += 13s;
  EXPECT_EQ(queue().take_expired(now).size(), 1u);
  EXPECT_TRUE(queue().empty());
}

TEST_F(WorkQueueTest, ATimeoutWithoutEndNeverExpires) {
  options.timeout = base::Duration::max();
  push(1);
  EXPECT_EQ(queue().next_expiry(), base::never);
}

TEST_F(WorkQueueTest, ARetryThatIsDrawnBeginsAllWaitsAnewToo) {
  options.max_attempts = 1;
  options.timeout = 10s;
  push(1);
  give_back(draw(), 0);
  push(1);
  now += 9s;
  draw();
  EXPECT_EQ(queue().next_expiry(), now + 10s);
}

TEST_F(WorkQueueTest, WorkThatHasLostAttemptsIsNotJoinedWithWorkThatHasNot) {
  options.max_attempts = 4;
  options.timeout = 10s;
  push(1);
  now += 9s;
  push(1);
  now += 2s;
  const Work older = draw();
  EXPECT_EQ(older.batch.size(), 1u);
  EXPECT_EQ(older.attempts_left, 3);
  EXPECT_EQ(draw().attempts_left, 4);
}

TEST_F(WorkQueueTest, KnowsTheBytesOfAllThatWaits) {
  options.max_attempts = 1;
  options.timeout = 10s;
  options.bulk_max_events = 2;
  push(3, 10);
  push(2, 100, true);
  EXPECT_EQ(queue().bytes(), 230u);
  Work work = draw();
  EXPECT_EQ(queue().bytes(), 210u);
  give_back(std::move(work), 0);
  EXPECT_EQ(queue().bytes(), 230u);
  work = draw();
  EXPECT_EQ(queue().bytes(), 210u);
  give_back(std::move(work), 0);
  now += 10s;
  EXPECT_EQ(queue().take_expired(now).size(), 2u);
  EXPECT_EQ(queue().bytes(), 200u);
  queue().take_all();
  EXPECT_EQ(queue().bytes(), 0u);
}

TEST_F(WorkQueueTest, TakeAllEmptiesIt) {
  options.bulk_max_events = 2;
  push(5);
  give_back(draw(), 0, 1h);
  push(1, 10, true);
  std::size_t events = 0;
  for (const Work& work : queue().take_all()) events += work.batch.size();
  EXPECT_EQ(events, 6u);
  EXPECT_TRUE(queue().empty());
  EXPECT_EQ(queue().next_expiry(), base::never);
}

RC_GTEST_PROP(WorkQueue, BatchesHoldAllEventsInOrderWithinTheLimits, ()) {
  Options options;
  options.bulk_max_events = *rc::gen::inRange(1u, 10u);
  options.bulk_max_bytes = *rc::gen::inRange<std::size_t>(1, 50);
  WorkQueue queue(options, Backoff(1s, 60s));
  const base::Time now{1h};
  std::vector<std::string> pushed;
  for (const auto& sizes :
       *rc::gen::container<std::vector<std::vector<unsigned char>>>(rc::gen::arbitrary<std::vector<unsigned char>>())) {
    auto submission = std::make_shared<Submission>();
    for (const unsigned char size : sizes) {
      pushed.push_back(std::to_string(pushed.size()) + std::string(size % 60u, 'x'));
      submission->append(pushed.back());
    }
    if (!sizes.empty()) queue.push(submission, now);
  }
  std::vector<std::string> drawn;
  std::size_t last_room = 0;
  std::size_t waiting = queue.bytes();
  while (const auto work = draw_for(queue, 0, false, now)) {
    waiting -= work->batch.bytes();
    RC_ASSERT(queue.bytes() == waiting);
    RC_ASSERT(!work->batch.empty());
    RC_ASSERT(work->batch.size() <= options.bulk_max_events);
    RC_ASSERT(work->batch.size() == 1 || work->batch.bytes() <= options.bulk_max_bytes);
    // The batch before had no room for the first event of this one.
    RC_ASSERT(drawn.empty() || last_room < work->batch[0].size());
    drawn.insert(drawn.end(), work->batch.begin(), work->batch.end());
    last_room = work->batch.size() == options.bulk_max_events || work->batch.bytes() >= options.bulk_max_bytes
                    ? 0
                    : options.bulk_max_bytes - work->batch.bytes();
  }
  RC_ASSERT(drawn == pushed);
  RC_ASSERT(waiting == 0u);
}

}  // namespace
}  // namespace windlass::core
