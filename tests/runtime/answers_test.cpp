// What clients of users do, and what they should not do.

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <windlass/windlass.h>

#include "clients.h"

namespace windlass {
namespace {

using testing::ElementsAre;

class Answers : public testing::Test {
 protected:
  Ears ears;
  test::Mailbox<Held> held;
  test::Mailbox<Link> links;

  /// A client whose connection and answers are in the test's hands.
  AsyncScript by_hand() {
    AsyncScript script = holding(held);
    script.connect = [this](const Link& link) {
      link.connected();
      links.put(link);
    };
    return script;
  }
  static LoadBalancer::Options without_end() {
    LoadBalancer::Options options;
    options.max_retries = -1;
    return options;
  }
};

// Completions.

TEST_F(Answers, MayComeFromAnyThread) {
  LoadBalancer balancer(client(by_hand()));
  for (int i = 0; i < 100; ++i) {
    ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
    std::thread([completion = std::move(held.take().done)]() mutable { completion.acked(); }).join();
    ASSERT_TRUE(ears.wait_for(static_cast<std::size_t>(i) + 1));
  }
  EXPECT_EQ(balancer.statistics().ledger.acked, 100u);
}

TEST_F(Answers, ThatAreDroppedCountAsFailedAndTheBatchGoesElsewhere) {
  LoadBalancer balancer(clients(std::vector{by_hand(), by_hand()}));
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  { const Held dropped = held.take(); }
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
  EXPECT_EQ(balancer.statistics().ledger.retried, 1u);
}

TEST_F(Answers, ThatAreOverwrittenAreDropped) {
  LoadBalancer balancer(client(by_hand()));
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  Completion kept = std::move(held.take().done);
  kept = Completion();
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
}

TEST_F(Answers, CountOnceAndLaterOnesChangeNothing) {
  LoadBalancer balancer(client(by_hand()), without_end());
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  Held one = held.take();
  one.done.acked();
  one.done.acked();
  one.done.failed(errc::rejected);
  one.done.progress(1);
  ASSERT_TRUE(ears.wait_for(1));
  balancer.close();
  EXPECT_EQ(ears.signals(), 1u);
  const Ledger ledger = balancer.statistics().ledger;
  EXPECT_EQ(ledger.acked, 1u);
  EXPECT_EQ(ledger.duplicates, 0u);
  EXPECT_EQ(balancer.statistics().workers[0].failed_attempts, 0u);
}

TEST_F(Answers, InPartsCompleteThosePartsOnly) {
  LoadBalancer balancer(client(by_hand()));
  ASSERT_FALSE(balancer.publish_events(events({"a", "b", "c", "d"}), ears.signal()));
  Held first = held.take();
  first.done.progress(1);
  first.done.progress(3);
  first.done.progress(2);  // no step back
  first.done.failed(errc::temporary);
  Held second = held.take();
  EXPECT_THAT(texts(second.batch), ElementsAre("d"));
  second.done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 4u);
}

TEST_F(Answers, NameSingleEventsThatAreToBeSentAgain) {
  LoadBalancer balancer(client(by_hand()));
  ASSERT_FALSE(balancer.publish_events(events({"a", "b", "c", "d"}), ears.signal()));
  held.take().done.finish(PublishResult::returned({{1, errc::temporary}, {3, {}}}));
  Held second = held.take();
  EXPECT_THAT(texts(second.batch), ElementsAre("b", "d"));
  second.done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 4u);
}

TEST_F(Answers, BeyondTheBatchMeanTheBatch) {
  LoadBalancer balancer(client(by_hand()));
  ASSERT_FALSE(balancer.publish_events(numbered_events(2), ears.signal()));
  held.take().done.finish(PublishResult::acked_first(1000, errc::temporary));
  ASSERT_TRUE(ears.wait_for(1));
  ASSERT_FALSE(balancer.publish_events(numbered_events(2), ears.signal()));
  held.take().done.finish(PublishResult::returned({{7, errc::rejected}}));
  ASSERT_TRUE(ears.wait_for(2));
  ASSERT_FALSE(balancer.publish_events(numbered_events(2), ears.signal()));
  const Held third = held.take();
  third.done.progress(1000);
  ASSERT_TRUE(ears.wait_for(3));
  EXPECT_EQ(balancer.statistics().ledger.acked, 6u);
}

TEST_F(Answers, AfterTheBalancerIsGoneChangeNothing) {
  Held late;
  Link link;
  {
    LoadBalancer balancer(client(by_hand()));
    ASSERT_FALSE(balancer.publish_events(events({"still", "here"}), ears.signal()));
    late = held.take();
    link = links.take();
  }
  ASSERT_EQ(ears.signals(), 1u);
  // The thread is new: the system may well give it the identity of the balancer's, which has ended.
  std::thread([&] {
    link.connected();
    link.alive();
    link.lost(errc::connection_lost, "too late");
    late.done.progress(1);
    late.done.acked();
  }).join();
  EXPECT_EQ(ears.signals(), 1u);
  EXPECT_THAT(texts(late.batch), ElementsAre("still", "here")) << "the client's batch is its own";
}

// Links.

TEST_F(Answers, ErrorsThatAreBothCalledBackAndToldOfTheLinkCountOnce) {
  LoadBalancer::Options options;
  options.max_retries = 1;
  LoadBalancer balancer(client(by_hand()), options);
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  Held one = held.take();
  links.take().lost(errc::connection_lost);
  one.done.failed(errc::connection_lost);
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u) << "one attempt was spent, not two";
  EXPECT_EQ(held.size(), 0u);
  EXPECT_EQ(balancer.statistics().ledger.retried, 1u);
}

TEST_F(Answers, OfALinkThatIsLostTwiceCountOnce) {
  std::mutex mutex;
  std::vector<std::string> heard;
  LoadBalancer::Options options = without_end();
  options.on_connection = [&](const ConnectionEvent& event) {
    const std::lock_guard lock(mutex);
    heard.push_back(event.connected ? "made" : event.detail);
  };
  LoadBalancer balancer(client(by_hand()), options);
  const Link first = links.take();
  first.connected();
  first.lost(errc::connection_lost, "the first time");
  first.lost(errc::connection_lost, "the second time");
  first.connected();
  const Link second = links.take();
  first.lost(errc::connection_lost, "of an earlier connection");
  first.alive();
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  balancer.close();
  EXPECT_THAT(heard, ElementsAre("made", "the first time", "made"));
  EXPECT_EQ(balancer.statistics().workers[0].connects, 2u);
}

TEST_F(Answers, OfALinkThatIsLostSendWhatWasInFlightElsewhere) {
  // Whichever of the two is given the event first loses its connection, and keeps the batch.
  test::Mailbox<Held> kept;
  std::atomic<bool> given{false};
  const auto loses_the_first = [&] {
    AsyncScript script;
    const auto link = std::make_shared<Link>();
    script.connect = [link](const Link& made) {
      *link = made;
      made.connected();
    };
    script.publish = [&, link](Batch batch, Completion done) {
      if (given.exchange(true)) return done.acked();
      kept.put({std::move(batch), std::move(done)});
      link->lost(errc::connection_lost);
    };
    return script;
  };
  LoadBalancer balancer(clients(std::vector{loses_the_first(), loses_the_first()}));
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  const Held one = kept.take();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
}

TEST_F(Answers, WithoutAReasonForTheLossAreGivenOne) {
  test::Mailbox<std::error_code> reasons;
  LoadBalancer::Options options = without_end();
  options.on_connection = [&](const ConnectionEvent& event) {
    if (!event.connected) reasons.put(event.error);
  };
  LoadBalancer balancer(client(by_hand()), options);
  links.take().lost({});
  EXPECT_EQ(reasons.take(), errc::connection_lost);
}

TEST_F(Answers, AboutAConnectionThatWasGivenUpAreNotTold) {
  test::Gate interrupted;
  test::Count connects;
  std::mutex mutex;
  std::vector<bool> heard;
  SyncScript script;
  script.connect = [&](auto) {
    connects.add();
    if (connects.value() > 1) return make_error_code(errc::connect_failed);
    interrupted.wait();
    return std::error_code();  // but nobody waits for it any more
  };
  script.interrupt = [&] { interrupted.open(); };
  LoadBalancer::Options options = without_end();
  options.timeout = 1ms;
  options.on_connection = [&](const ConnectionEvent& event) {
    const std::lock_guard lock(mutex);
    heard.push_back(event.connected);
  };
  LoadBalancer balancer(client(script), options);
  ASSERT_TRUE(connects.wait_for(2));
  balancer.close();
  EXPECT_THAT(heard, testing::Each(false)) << "it could not be made in time, so it was never there";
}

TEST_F(Answers, AfterTheEndOfAConnectionDoNotExplainTheNextOne) {
  test::Mailbox<std::string> details;
  Link latest;
  AsyncScript script;
  script.connect = [&](Link link) { latest = std::move(link); };  // and then nothing, until it is given up
  script.close = [&] { latest.lost(errc::connection_lost, "closed by ourselves"); };
  LoadBalancer::Options options = without_end();
  options.timeout = 1ms;
  options.on_connection = [&](const ConnectionEvent& event) { details.put(event.detail); };
  LoadBalancer balancer(client(script), options);
  EXPECT_EQ(details.take(), make_error_code(errc::timeout).message());
  EXPECT_EQ(details.take(), make_error_code(errc::timeout).message());
}

TEST_F(Answers, SignsOfLifeHoldOffTheTimeoutButNotTheProgressDeadline) {
  test::Mailbox<std::error_code> reasons;
  LoadBalancer::Options options = without_end();
  options.timeout = 1min;
  options.progress_timeout = 50ms;
  options.on_connection = [&](const ConnectionEvent& event) {
    if (!event.connected) reasons.put(event.error);
  };
  LoadBalancer balancer(client(by_hand()), options);
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  const Link link = links.take();
  const Held stalled = held.take();
  while (reasons.size() == 0) link.alive();
  EXPECT_EQ(reasons.take(), errc::no_progress);
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
}

TEST_F(Answers, ThatNeverComeAreNotWaitedForBeyondTheTimeout) {
  test::Mailbox<std::error_code> reasons;
  LoadBalancer::Options options = without_end();
  options.timeout = 20ms;
  options.on_connection = [&](const ConnectionEvent& event) {
    if (!event.connected) reasons.put(event.error);
  };
  LoadBalancer balancer(client(by_hand()), options);
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  Held silent = held.take();
  EXPECT_EQ(reasons.take(), errc::timeout);
  silent.done.acked();  // of an attempt that is over
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  balancer.close();
  EXPECT_EQ(ears.signals(), 1u);
}

// Exceptions.

TEST_F(Answers, ThatAreExceptionsOfASyncClientEndTheConnection) {
  int connects = 0;
  int publishes = 0;
  SyncScript script;
  script.connect = [&](auto) {
    if (++connects == 1) throw std::runtime_error("connect");
    return std::error_code();
  };
  script.publish = [&](const Batch&) {
    if (++publishes == 1) throw 42;
    return PublishResult::acked();
  };
  LoadBalancer balancer(client(script), without_end());
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
  balancer.close();
  EXPECT_EQ(connects, 3);
  EXPECT_EQ(publishes, 2);
}

TEST_F(Answers, ThatAreExceptionsOfAnAsyncClientEndTheConnection) {
  int connects = 0;
  int publishes = 0;
  AsyncScript script;
  script.connect = [&](const Link& link) {
    if (++connects == 1) throw std::runtime_error("connect");
    link.connected();
  };
  script.publish = [&](const Batch&, Completion done) {
    if (++publishes == 1) throw 42;
    done.acked();
  };
  LoadBalancer::Options options;
  options.max_retries = 1;
  LoadBalancer balancer(client(script), options);
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
  balancer.close();
  EXPECT_EQ(connects, 3);
  EXPECT_EQ(publishes, 2);
}

}  // namespace
}  // namespace windlass
