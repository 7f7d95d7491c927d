#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <thread>

#include <windlass/windlass.h>

#include "clients.h"

namespace windlass {
namespace {

using testing::ElementsAre;

// Close.

TEST(Close, SignalsWhatIsQueuedAndWhatIsInFlightBeforeItReturns) {
  Ears ears;
  test::Mailbox<Held> held;
  LoadBalancer::Options options;
  options.bulk_max_events = 1;
  options.pipelining = 1;
  LoadBalancer balancer(client(holding(held)), options);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(balancer.publish_event("each", ears.signal()));
  EXPECT_FALSE(balancer.publish_events(numbered_events(5), ears.signal()));
  const Held in_flight = held.take();
  balancer.close();
  EXPECT_EQ(ears.signals(), 4u);
  for (std::size_t publish = 0; publish < 4; ++publish) {
    EXPECT_EQ(ears.times(publish), 1u);
    EXPECT_EQ(ears.outcome(publish).reason, errc::closed);
  }
  EXPECT_EQ(ears.outcome(3).failed, 5u);
  const Ledger ledger = balancer.statistics().ledger;
  EXPECT_EQ(ledger.accepted, 8u);
  EXPECT_EQ(ledger.dropped.at(errc::closed), 8u);
  EXPECT_EQ(ledger.in_flight + ledger.queued, 0u);
}

TEST(Close, DoesNotTakeBackWhatWasAcknowledgedInPart) {
  Ears ears;
  test::Mailbox<Held> held;
  LoadBalancer balancer(client(holding(held)));
  EXPECT_FALSE(balancer.publish_events(numbered_events(5), ears.signal()));
  const Held in_flight = held.take();
  in_flight.done.progress(2);
  balancer.close();
  EXPECT_EQ(ears.outcome().acked, 2u);
  EXPECT_EQ(ears.outcome().failed, 3u);
}

TEST(Close, ChangesNothingTheSecondTime) {
  Ears ears;
  test::Mailbox<Held> held;
  LoadBalancer balancer(client(holding(held)));
  EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  balancer.close();
  balancer.close();
  EXPECT_TRUE(balancer.statistics().ledger.balanced());
  EXPECT_EQ(ears.signals(), 1u);
}

TEST(Close, MayComeFromManyThreadsAtOnceAndReturnsToEachWhenAllIsSignalled) {
  Ears ears;
  test::Mailbox<Held> held;
  LoadBalancer balancer(client(holding(held)));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      balancer.close();
      EXPECT_EQ(ears.signals(), 100u);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Close, HappensByItselfAtTheEnd) {
  Ears ears;
  test::Mailbox<Held> held;
  {
    LoadBalancer balancer(client(holding(held)));
    EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  }
  EXPECT_EQ(ears.outcome().reason, errc::closed);
}

TEST(Close, ClosesEveryConnection) {
  test::Count connected;
  test::Count closed;
  AsyncScript script;
  script.connect = [&](const Link& link) {
    link.connected();
    connected.add();
  };
  script.close = [&] { closed.add(); };
  LoadBalancer balancer(clients(std::vector(3, script)));
  ASSERT_TRUE(connected.wait_for(3));
  balancer.close();
  EXPECT_EQ(closed.value(), 3u);
}

TEST(Close, InterruptsAConnectThatIsUnderWay) {
  test::Gate connecting;
  bool closed = false;
  AsyncScript script;
  script.connect = [&](const Link&) { connecting.open(); };
  script.close = [&] { closed = true; };
  LoadBalancer balancer(client(script));
  ASSERT_TRUE(connecting.wait());
  balancer.close();
  EXPECT_TRUE(closed);
}

// Close from a signal, and from the other callbacks.

class CloseFromASignal : public testing::Test {
 protected:
  /// Acknowledges everything once it is told to.
  WorkerFactory workers() {
    AsyncScript script;
    script.publish = [this](const Batch&, Completion done) { completions.put(std::move(done)); };
    return client(script);
  }
  Signal counting() {
    return [this](const Outcome&) {
      EXPECT_FALSE(close_returned) << "no signal comes after close() has returned";
      ++signals;
    };
  }
  Signal closing() {
    return [this](const Outcome& outcome) {
      EXPECT_EQ(outcome.acked, 1u);
      ++signals;
      balancer->close();
      EXPECT_EQ(balancer->publish_event("late"), errc::closed);
      EXPECT_TRUE(balancer->statistics().ledger.balanced());
      close_returned = true;
      closed.open();
    };
  }

  test::Mailbox<Completion> completions;
  test::Mailbox<Link> links;
  test::Gate closed;
  std::atomic<unsigned> signals{0};
  std::atomic<bool> close_returned{false};
  std::optional<LoadBalancer> balancer;  // the first to go: callbacks use the others until it is closed
};

TEST_F(CloseFromASignal, SignalsEverythingElseBeforeItReturns) {
  LoadBalancer::Options options;
  options.bulk_max_events = 20;
  options.pipelining = 1;
  balancer.emplace(workers(), options);
  // One submission of many publishes, in the middle of which close() is called, with others before and behind.
  for (int i = 0; i < 10; ++i) ASSERT_FALSE(balancer->publish_event("one", counting()));
  ASSERT_FALSE(balancer->publish_event("one", closing()));
  for (int i = 0; i < 30; ++i) ASSERT_FALSE(balancer->publish_event("one", counting()));
  ASSERT_FALSE(balancer->publish_events(numbered_events(5), counting()));
  while (!closed.is_open()) {
    if (completions.size() > 0) completions.take().acked();
    std::this_thread::yield();
  }
  EXPECT_EQ(signals, 42u);
  balancer.reset();
  EXPECT_EQ(signals, 42u);
}

TEST_F(CloseFromASignal, OfAPublishOfManyEventsDoesTheSame) {
  balancer.emplace(workers());
  ASSERT_FALSE(balancer->publish_events(events({"one"}), closing()));
  Completion first = completions.take();
  ASSERT_FALSE(balancer->publish_events(numbered_events(5), counting()));
  ASSERT_FALSE(balancer->publish_event("one", counting()));
  first.acked();
  ASSERT_TRUE(closed.wait());
  EXPECT_EQ(signals, 3u);
}

TEST_F(CloseFromASignal, LetsACloseFromOutsideReturnAsWell) {
  balancer.emplace(workers());
  ASSERT_FALSE(balancer->publish_event("one", closing()));
  Completion first = completions.take();
  std::thread outside([&] {
    ASSERT_TRUE(closed.wait());
    balancer->close();
  });
  first.acked();
  outside.join();
  EXPECT_EQ(signals, 1u);
}

TEST_F(CloseFromASignal, WorksFromTheDeadLetterToo) {
  LoadBalancer::Options options;
  options.dead_letter = [&](const DeadLetter&) {
    balancer->close();
    close_returned = true;
    closed.open();
  };
  balancer.emplace(workers(), options);
  ASSERT_FALSE(balancer->publish_events(numbered_events(3), counting()));
  Completion all = completions.take();
  ASSERT_FALSE(balancer->publish_event("one", counting()));
  all.failed(errc::rejected);
  ASSERT_TRUE(closed.wait());
  EXPECT_EQ(signals, 2u);
}

class CloseFromAConnectionEvent : public CloseFromASignal, public testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(Of, CloseFromAConnectionEvent, testing::Values(true, false),
                         [](const auto& made) { return made.param ? "AConnectionMade" : "AConnectionLost"; });

TEST_P(CloseFromAConnectionEvent, SignalsEverythingBeforeItReturns) {
  AsyncScript script;
  script.connect = [&](Link link) { links.put(std::move(link)); };
  LoadBalancer::Options options;
  options.on_connection = [&](const ConnectionEvent& event) {
    EXPECT_EQ(event.connected, GetParam());
    balancer->close();
    close_returned = true;
    closed.open();
  };
  balancer.emplace(clients(std::vector(3, script)), options);
  ASSERT_FALSE(balancer->publish_event("one", counting()));
  // All at once, so that the loop finds several answers together.
  std::vector<Link> all;
  for (int i = 0; i < 3; ++i) all.push_back(links.take());
  for (const Link& link : all) {
    if (GetParam()) {
      link.connected();
    } else {
      link.lost(errc::connect_failed);
    }
  }
  ASSERT_TRUE(closed.wait());
  EXPECT_EQ(signals, 1u);
}

// Synchronous clients that are inside a call.

TEST(CloseOfSyncClients, InterruptsAPublishAndWaitsForItToEnd) {
  Ears ears;
  test::Gate publishing;
  test::Gate interrupted;
  std::atomic<bool> closed{false};
  SyncScript script;
  script.publish = [&](const Batch&) {
    publishing.open();
    interrupted.wait();
    return PublishResult::failed(errc::connection_lost);
  };
  script.interrupt = [&] { interrupted.open(); };
  script.close = [&] { closed = true; };
  LoadBalancer::Options options;
  options.close_grace = std::chrono::nanoseconds::max();
  LoadBalancer balancer(client(script), options);
  EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  ASSERT_TRUE(publishing.wait());
  balancer.close();
  EXPECT_TRUE(closed);
  EXPECT_EQ(ears.outcome().reason, errc::closed);
}

TEST(CloseOfSyncClients, InterruptsAConnect) {
  test::Gate connecting;
  test::Gate interrupted;
  SyncScript script;
  script.connect = [&](auto) {
    connecting.open();
    interrupted.wait();
    return make_error_code(errc::connect_failed);
  };
  script.interrupt = [&] { interrupted.open(); };
  LoadBalancer balancer(client(script));
  ASSERT_TRUE(connecting.wait());
  balancer.close();
  EXPECT_TRUE(interrupted.is_open());
}

/// What a client that is left behind needs: it outlives the balancer, so all of it belongs to the client.
struct Stuck {
  test::Gate entered;
  test::Gate released;
  test::Gate returned;
  test::Gate destroyed;
  std::atomic<bool> interrupted{false};

  void stand_still() {
    entered.open();
    released.wait();
    returned.open();
  }
};

class StuckClient final : public SyncClient {
 public:
  StuckClient(std::shared_ptr<Stuck> stuck, bool in_connect) : stuck_(std::move(stuck)), in_connect_(in_connect) {}
  ~StuckClient() override { stuck_->destroyed.open(); }
  std::error_code connect(std::chrono::milliseconds) override {
    if (in_connect_) stuck_->stand_still();
    return {};
  }
  PublishResult publish(const Batch& batch) override {
    stuck_->stand_still();
    // Still good, although the balancer is gone.
    return batch[0] == "one" ? PublishResult::acked() : PublishResult::failed(errc::rejected);
  }
  void close() noexcept override {}
  void interrupt() noexcept override { stuck_->interrupted = true; }

 private:
  std::shared_ptr<Stuck> stuck_;
  bool in_connect_;
};

class CloseWithAStuckClient : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(In, CloseWithAStuckClient, testing::Values(true, false),
                         [](const auto& in_connect) { return in_connect.param ? "Connect" : "Publish"; });

TEST_P(CloseWithAStuckClient, LeavesItBehindAfterTheGrace) {
  Ears ears;
  const auto stuck = std::make_shared<Stuck>();
  {
    std::vector<std::unique_ptr<SyncClient>> made;
    made.push_back(std::make_unique<StuckClient>(stuck, GetParam()));
    LoadBalancer::Options options;
    options.close_grace = 10ms;
    LoadBalancer balancer(sync_clients(std::move(made), 1ms, 10ms), options);
    EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
    ASSERT_TRUE(stuck->entered.wait());
    balancer.close();
    EXPECT_FALSE(stuck->returned.is_open()) << "it is still stuck, and yet close() has returned";
    EXPECT_TRUE(stuck->interrupted);
    EXPECT_EQ(ears.signals(), 1u);
    EXPECT_EQ(ears.outcome().reason, errc::closed);
  }
  stuck->released.open();
  ASSERT_TRUE(stuck->destroyed.wait()) << "its thread ends by itself, and takes the client along";
  EXPECT_EQ(ears.signals(), 1u) << "its late answer changes nothing";
}

TEST(SyncClientThatHangs, IsGivenUpAfterTheTimeoutAndTheOthersTakeItsWork) {
  Ears ears;
  const auto stuck = std::make_shared<Stuck>();
  std::vector<std::unique_ptr<SyncClient>> made;
  made.push_back(std::make_unique<StuckClient>(stuck, false));
  made.push_back(std::make_unique<ScriptedSyncClient>(SyncScript()));
  LoadBalancer::Options options;
  options.timeout = 50ms;
  options.max_retries = -1;
  options.bulk_max_events = 1;
  LoadBalancer balancer(sync_clients(std::move(made), 1ms, 10ms), options);
  // However the work is shared out: until the stuck client holds some, and then everything must still arrive.
  std::size_t published = 0;
  do {
    ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
    ++published;
    std::this_thread::yield();
  } while (!stuck->entered.is_open());
  ASSERT_TRUE(ears.wait_for(published));
  EXPECT_FALSE(stuck->returned.is_open());
  EXPECT_EQ(balancer.statistics().ledger.acked, published);
  stuck->released.open();
}

// Drain.

TEST(Drain, FinishesWhatIsAcceptedAndIsTrue) {
  Ears ears;
  LoadBalancer balancer(clients(std::vector<SyncScript>(2)));
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  EXPECT_TRUE(balancer.drain(test::patience));
  EXPECT_EQ(ears.signals(), 1000u);
  EXPECT_EQ(balancer.statistics().ledger.acked, 1000u);
  EXPECT_EQ(balancer.publish_event("late"), errc::closed);
}

TEST(Drain, OfNothingReturnsAtOnce) {
  LoadBalancer balancer(client(AsyncScript()));
  EXPECT_TRUE(balancer.drain(std::chrono::nanoseconds::max()));
}

TEST(Drain, SignalsWhatIsLeftAtTheDeadlineAndIsFalse) {
  Ears ears;
  test::Mailbox<Held> held;
  LoadBalancer balancer(client(holding(held)));
  EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  EXPECT_FALSE(balancer.drain(1ms));
  EXPECT_EQ(ears.outcome().reason, errc::closed);
}

TEST(Drain, TakesADeadlineThatHasPassedForNow) {
  Ears ears;
  test::Mailbox<Held> held;
  LoadBalancer balancer(client(holding(held)));
  EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  EXPECT_FALSE(balancer.drain(-1h));
  EXPECT_EQ(ears.signals(), 1u);
}

TEST(Drain, KeepsRetryingUntilItSucceeds) {
  Ears ears;
  SyncScript script;
  script.publish = [failures = 5](const Batch&) mutable {
    return failures-- > 0 ? PublishResult::failed(errc::connection_lost) : PublishResult::acked();
  };
  LoadBalancer::Options options;
  options.max_retries = -1;
  LoadBalancer balancer(client(script), options);
  EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  EXPECT_TRUE(balancer.drain(test::patience));
  EXPECT_EQ(ears.outcome().acked, 1u);
}

TEST(Drain, IsCutShortByClose) {
  Ears ears;
  test::Mailbox<Held> held;
  LoadBalancer balancer(client(holding(held)));
  EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  std::thread drainer([&] { EXPECT_FALSE(balancer.drain(std::chrono::nanoseconds::max())); });
  ASSERT_TRUE(test::eventually([&] { return balancer.try_publish_event("two") == errc::closed; }));
  balancer.close();
  drainer.join();
  EXPECT_GE(ears.signals(), 1u);
}

TEST(Drain, AfterCloseTellsWhetherSomethingWasLeft) {
  LoadBalancer idle(client(AsyncScript()));
  idle.close();
  EXPECT_TRUE(idle.drain(1s));
  test::Mailbox<Held> held;
  LoadBalancer busy(client(holding(held)));
  EXPECT_FALSE(busy.publish_event("one"));
  busy.close();
  EXPECT_FALSE(busy.drain(1s));
}

}  // namespace
}  // namespace windlass
