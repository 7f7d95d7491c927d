#include "runtime/sync_thread.h"

#include <atomic>
#include <deque>
#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

#include "clients.h"

namespace windlass::runtime {
namespace {

/// This thread plays the loop's.
class SyncThreadTest : public testing::Test {
 protected:
  SyncThreadTest() {
    loop->adopt_thread();
    for (std::uint32_t number = 1; number < 10; ++number) door->begin({0, number});
    door->begin({0, 1});
  }

  /// Its client is not called any more when it is gone, since the scripts use what the tests have on their stacks.
  struct Finish {
    void operator()(SyncThread* thread) const {
      const std::unique_ptr<SyncThread> owned(thread);
      thread->stop();
      thread->finish(std::chrono::steady_clock::now() + test::patience);
    }
  };
  std::unique_ptr<SyncThread, Finish> start(SyncScript script) {
    return std::unique_ptr<SyncThread, Finish>(
        new SyncThread(std::make_unique<ScriptedSyncClient>(std::move(script)), door));
  }
  Answer next_answer() {
    if (answers.empty()) {
      EXPECT_TRUE(test::eventually([&] { return !door->empty(); }));
      std::vector<Answer> taken;
      door->take(taken);
      for (Answer& answer : taken) answers.push_back(std::move(answer));
    }
    Answer answer = std::move(answers.at(0));
    answers.pop_front();
    return answer;
  }
  static Batch batch_of(std::string_view event) {
    auto buffer = std::make_shared<EventBuffer>();
    buffer->append(event);
    return Batch(std::move(buffer));
  }

  std::shared_ptr<Loop> loop = std::make_shared<Loop>();
  std::deque<Answer> answers;
  std::shared_ptr<AnswerDoor> door = std::make_shared<AnswerDoor>(loop, 1);
};

TEST_F(SyncThreadTest, CallsTheClientFromOneThreadOfItsOwn) {
  std::vector<std::thread::id> threads;
  SyncScript script;
  script.connect = [&](auto) {
    threads.push_back(std::this_thread::get_id());
    return std::error_code();
  };
  script.publish = [&](const Batch&) {
    threads.push_back(std::this_thread::get_id());
    return PublishResult::acked();
  };
  script.close = [&] { threads.push_back(std::this_thread::get_id()); };
  const auto thread = start(script);
  thread->connect({0, 1}, 1s);
  EXPECT_EQ(std::get<Connected>(next_answer()).connection, (core::ConnectionId{0, 1}));
  thread->publish(5, batch_of("one"));
  EXPECT_EQ(std::get<Finished>(next_answer()).attempt, 5u);
  thread->close({0, 1});
  EXPECT_EQ(std::get<Disconnected>(next_answer()).connection, (core::ConnectionId{0, 1}));
  ASSERT_EQ(threads.size(), 3u);
  EXPECT_NE(threads[0], std::this_thread::get_id());
  EXPECT_EQ(threads[0], threads[1]);
  EXPECT_EQ(threads[0], threads[2]);
}

TEST_F(SyncThreadTest, TellsWhatTheClientSaid) {
  SyncScript script;
  script.connect = [](auto) { return make_error_code(errc::protocol_error); };
  script.publish = [](const Batch&) { return PublishResult::acked_first(3, errc::temporary); };
  const auto thread = start(script);
  thread->connect({0, 1}, 1s);
  EXPECT_EQ(std::get<Lost>(next_answer()).error, errc::protocol_error);
  thread->publish(5, batch_of("one"));
  const Answer answer = next_answer();
  EXPECT_EQ(std::get<Finished>(answer).result.rest_from, 3u);
  EXPECT_EQ(std::get<Finished>(answer).result.error, errc::temporary);
}

TEST_F(SyncThreadTest, GivesTheTimeoutToTheClient) {
  test::Mailbox<std::chrono::milliseconds> timeouts;
  SyncScript script;
  script.connect = [&](std::chrono::milliseconds timeout) {
    timeouts.put(timeout);
    return std::error_code();
  };
  const auto thread = start(script);
  thread->connect({0, 1}, 1234ms);
  EXPECT_EQ(timeouts.take(), 1234ms);
}

TEST_F(SyncThreadTest, InterruptsACallThatIsUnderWayButNotAnIdleClient) {
  test::Gate publishing;
  test::Gate interrupted;
  std::atomic<int> interrupts{0};
  SyncScript script;
  script.publish = [&](const Batch&) {
    publishing.open();
    interrupted.wait();
    return PublishResult::failed(errc::connection_lost);
  };
  script.interrupt = [&] {
    ++interrupts;
    interrupted.open();
  };
  const auto thread = start(script);
  thread->close({0, 1});
  EXPECT_TRUE(std::holds_alternative<Disconnected>(next_answer()));
  EXPECT_EQ(interrupts, 0);
  thread->publish(5, batch_of("one"));
  ASSERT_TRUE(publishing.wait());
  thread->close({0, 1});
  EXPECT_TRUE(std::holds_alternative<Finished>(next_answer()));
  EXPECT_TRUE(std::holds_alternative<Disconnected>(next_answer()));
  EXPECT_EQ(interrupts, 1);
}

TEST_F(SyncThreadTest, NeverClosesAClientThatIsBeingInterrupted) {
  test::Count publishes;
  std::atomic<bool> being_interrupted{false};
  std::atomic<bool> may_return{false};
  SyncScript script;
  script.publish = [&](const Batch&) {
    publishes.add();
    while (!may_return) std::this_thread::yield();
    return PublishResult::acked();
  };
  script.interrupt = [&] {
    being_interrupted = true;
    may_return = true;
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    being_interrupted = false;
  };
  script.close = [&] { EXPECT_FALSE(being_interrupted); };
  const auto thread = start(script);
  for (std::size_t round = 1; round <= 50; ++round) {
    may_return = false;
    thread->publish(round, batch_of("one"));
    ASSERT_TRUE(publishes.wait_for(round));
    thread->close({0, 1});
    EXPECT_TRUE(std::holds_alternative<Finished>(next_answer()));
    EXPECT_TRUE(std::holds_alternative<Disconnected>(next_answer()));
  }
}

TEST_F(SyncThreadTest, DoesNotKeepABatchThatWasAnswered) {
  const auto thread = start(SyncScript());
  auto buffer = std::make_shared<EventBuffer>();
  buffer->append("one");
  const std::weak_ptr<EventBuffer> watched = buffer;
  thread->publish(5, Batch(std::move(buffer)));
  next_answer();
  EXPECT_TRUE(watched.expired()) << "memory is to be had again as soon as the answer is";
}

TEST_F(SyncThreadTest, ClosesTheClientOnceMoreWhenItStops) {
  std::atomic<int> closes{0};
  SyncScript script;
  script.close = [&] { ++closes; };
  auto thread = start(script);
  thread.reset();
  EXPECT_EQ(closes, 1);
}

TEST_F(SyncThreadTest, DropsACallThatHasNotBegunWhenItIsToClose) {
  test::Gate connecting;
  test::Gate released;
  std::atomic<int> publishes{0};
  SyncScript script;
  script.connect = [&](auto) {
    connecting.open();
    released.wait();
    return std::error_code();
  };
  script.publish = [&](const Batch&) {
    ++publishes;
    return PublishResult::acked();
  };
  const auto thread = start(script);
  thread->connect({0, 1}, 1s);
  ASSERT_TRUE(connecting.wait());
  thread->publish(5, batch_of("one"));
  thread->close({0, 1});
  released.open();
  EXPECT_TRUE(std::holds_alternative<Connected>(next_answer()));
  EXPECT_TRUE(std::holds_alternative<Disconnected>(next_answer()));
  EXPECT_EQ(publishes, 0);
}

}  // namespace
}  // namespace windlass::runtime
