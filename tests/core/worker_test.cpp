#include "core/worker.h"

#include <chrono>
#include <gtest/gtest.h>

namespace windlass::core {
namespace {

using namespace std::chrono_literals;

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    options.timeout = 30s;
    options.progress_timeout = 5min;
  }

  /// A worker with a connection.
  Worker connected(WorkerOptions worker_options = {}) {
    Worker worker(std::move(worker_options));
    worker.connecting(now, options.timeout);
    worker.connected(now);
    return worker;
  }

  Options options;
  base::Time now{1h};
  base::Random random{1};
};

TEST_F(WorkerTest, BeginsOnStandby) {
  const Worker worker(WorkerOptions{});
  EXPECT_EQ(worker.state(), Worker::State::standby);
  EXPECT_FALSE(worker.participating(now));
  EXPECT_EQ(worker.next_timeout(), base::never);
}

TEST_F(WorkerTest, AConnectHasADeadline) {
  Worker worker(WorkerOptions{});
  worker.connecting(now, options.timeout);
  EXPECT_EQ(worker.next_timeout(), now + 30s);
  EXPECT_FALSE(worker.overdue(now + 30s - 1ns));
  EXPECT_EQ(worker.overdue(now + 30s), errc::timeout);
}

TEST_F(WorkerTest, EachConnectionHasANumberOfItsOwn) {
  Worker worker = connected();
  const auto first = worker.connection();
  worker.closing(now, {});
  worker.closed();
  worker.wait_is_over();
  worker.connecting(now, options.timeout);
  EXPECT_GT(worker.connection(), first);
}

TEST_F(WorkerTest, ParticipatesWhenConnected) {
  const Worker worker = connected();
  EXPECT_TRUE(worker.participating(now));
  EXPECT_EQ(worker.next_timeout(), base::never) << "an idle connection has no deadline";
  EXPECT_EQ(worker.statistics(now).connects, 1u);
}

TEST_F(WorkerTest, CountsTheEventsThatAreInFlight) {
  Worker worker = connected();
  worker.sent(1, 10, options, now);
  worker.sent(2, 5, options, now);
  EXPECT_EQ(worker.statistics(now).in_flight, 15u);
  worker.ended(1, 10, options, now);
  EXPECT_EQ(worker.statistics(now).in_flight, 5u);
}

TEST_F(WorkerTest, SilenceIsHeldOffByASignOfLifeAndLackOfProgressIsNot) {
  Worker worker = connected();
  worker.sent(1, 1, options, now);
  EXPECT_EQ(worker.next_timeout(), now + 30s);
  for (int times = 0; times < 10; ++times) {
    now += 29s;
    EXPECT_FALSE(worker.overdue(now));
    worker.alive(options, now);
  }
  now += 10s;
  EXPECT_EQ(worker.overdue(now), errc::no_progress);
}

TEST_F(WorkerTest, ASignOfLifeMeansNothingToAnIdleConnection) {
  Worker worker = connected();
  worker.alive(options, now);
  EXPECT_EQ(worker.next_timeout(), base::never);
}

TEST_F(WorkerTest, DeadlinesEndWithTheLastBatchInFlight) {
  Worker worker = connected();
  worker.sent(1, 1, options, now);
  worker.sent(2, 1, options, now);
  worker.ended(1, 1, options, now);
  EXPECT_NE(worker.next_timeout(), base::never);
  worker.ended(2, 1, options, now);
  EXPECT_EQ(worker.next_timeout(), base::never);
}

TEST_F(WorkerTest, TheProgressDeadlineIsOfTheOldestBatch) {
  Worker worker = connected();
  const base::Time begin = now;
  worker.sent(1, 1, options, now);
  worker.sent(2, 1, options, now);
  worker.sent(3, 1, options, now);
  const auto progress_ends_at = [&](base::Time at) {
    worker.alive(options, at - 1ns);
    return !worker.overdue(at - 1ns) && worker.overdue(at) == errc::no_progress;
  };
  now += 1min;
  worker.progressed(2, options, now);
  EXPECT_TRUE(progress_ends_at(begin + 5min)) << "a younger one's progress is not the oldest one's";
  worker.ended(3, 1, options, now);
  EXPECT_TRUE(progress_ends_at(begin + 5min));
  worker.progressed(1, options, now);
  EXPECT_TRUE(progress_ends_at(now + 5min));
  now += 1min;
  worker.ended(1, 1, options, now);
  EXPECT_TRUE(progress_ends_at(now + 5min)) << "now it is the next one's turn";
}

TEST_F(WorkerTest, IsFailingUntilItSucceeds) {
  Worker worker = connected();
  worker.failed(now, random);
  EXPECT_TRUE(worker.failing());
  worker.progressed(1, options, now);
  EXPECT_FALSE(worker.failing());
}

TEST_F(WorkerTest, AConnectIsNoSuccess) {
  Worker worker = connected();
  worker.failed(now, random);
  worker.closing(now, errc::connection_lost);
  worker.closed();
  worker.wait_is_over();
  worker.connecting(now, options.timeout);
  worker.connected(now);
  EXPECT_TRUE(worker.failing());
}

TEST_F(WorkerTest, RestsWithItsConnectionStanding) {
  Worker worker = connected();
  worker.rest(now + 5s, errc::temporary);
  EXPECT_TRUE(worker.resting(now));
  EXPECT_FALSE(worker.participating(now + 5s - 1ns));
  EXPECT_TRUE(worker.participating(now + 5s));
  EXPECT_EQ(worker.statistics(now).state, WorkerState::resting);
  EXPECT_EQ(worker.statistics(now + 5s).state, WorkerState::connected);
  worker.rest(now + 1s, errc::temporary);
  EXPECT_FALSE(worker.participating(now + 4s)) << "a shorter rest does not end a longer one";
}

TEST_F(WorkerTest, AnEndOfTheConnectionIsNoFailureWhereNothingIsAtStake) {
  Worker worker = connected({.wait_retry = 1s});
  EXPECT_FALSE(worker.may_end(now + 999ms)) << "it has been of no use yet";
  EXPECT_TRUE(worker.may_end(now + 1s)) << "but has stood for a while";
  worker.sent(1, 1, options, now);
  EXPECT_FALSE(worker.may_end(now + 1h)) << "something is in flight";
  worker.progressed(1, options, now);
  worker.ended(1, 1, options, now);
  EXPECT_TRUE(worker.may_end(now)) << "it was of use";
  worker.closing(now, {});
  worker.closed();
  worker.wait_is_over();
  worker.connecting(now, options.timeout);
  worker.connected(now);
  EXPECT_FALSE(worker.may_end(now)) << "the one before was, this one not yet";
  now += 1s;
  EXPECT_TRUE(worker.may_end(now));
  worker.failed(now, random);
  EXPECT_FALSE(worker.may_end(now + 1h)) << "it is known to fail";
}

TEST_F(WorkerTest, WaitsForItsBackoffOnceItsConnectionIsClosed) {
  Worker worker = connected();
  worker.closing(now + 5s, errc::connection_lost);
  EXPECT_EQ(worker.state(), Worker::State::closing);
  EXPECT_EQ(worker.next_timeout(), base::never) << "the driver has to answer first";
  worker.closed();
  EXPECT_EQ(worker.state(), Worker::State::waiting);
  EXPECT_EQ(worker.next_timeout(), now + 5s);
  EXPECT_FALSE(worker.wait_has_ended(now));
  EXPECT_TRUE(worker.wait_has_ended(now + 5s));
  worker.wait_is_over();
  EXPECT_EQ(worker.state(), Worker::State::standby);
  EXPECT_EQ(worker.statistics(now).last_error, errc::connection_lost);
}

TEST_F(WorkerTest, IsOnStandbyWhenItIsNotWantedAgain) {
  Worker worker = connected();
  worker.closing(base::never, {});
  worker.closed();
  EXPECT_EQ(worker.state(), Worker::State::standby);
}

TEST_F(WorkerTest, IsTooOldAfterItsTimeToLive) {
  Worker worker = connected({.ttl = 1min});
  EXPECT_EQ(worker.next_timeout(), now + 1min);
  EXPECT_FALSE(worker.too_old(now + 59s));
  EXPECT_TRUE(worker.too_old(now + 1min));
  worker.leave();
  EXPECT_FALSE(worker.participating(now));
  EXPECT_EQ(worker.next_timeout(), base::never) << "it leaves already";
}

TEST_F(WorkerTest, KeepsItsFigures) {
  Worker worker = connected({.endpoint = "somewhere"});
  worker.sent(1, 10, options, now);
  worker.ended(1, 10, options, now);
  worker.acked_some(10);
  worker.completed(20ms);
  worker.count_failure();
  const WorkerStatistics figures = worker.statistics(now);
  EXPECT_EQ(figures.endpoint, "somewhere");
  EXPECT_EQ(figures.acked, 10u);
  EXPECT_EQ(figures.batches, 1u);
  EXPECT_EQ(figures.failed_attempts, 1u);
  EXPECT_EQ(figures.latency.count, 1u);
  EXPECT_EQ(figures.latency.max, 20ms);
}

TEST_F(WorkerTest, StepsThatCannotBeAreRefused) {
  Worker worker(WorkerOptions{});
  EXPECT_DEATH(worker.connected(now), "assertion failed");
  EXPECT_DEATH(worker.closed(), "assertion failed");
  EXPECT_DEATH(worker.ended(1, 1, options, now), "assertion failed");
}

}  // namespace
}  // namespace windlass::core
