#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include <windlass/windlass.h>

#include "clients.h"

namespace windlass {
namespace {

using testing::ElementsAre;

// With clients of both kinds.

enum class Kind { sync, async };

/// An endpoint in memory, and clients that deliver to it.
class Publish : public testing::TestWithParam<Kind> {
 protected:
  std::function<PublishResult(const Batch&)> answer = [](const Batch&) { return PublishResult::acked(); };
  Ears ears;

  WorkerFactory workers(std::size_t count = 1) {
    if (GetParam() == Kind::sync) {
      SyncScript script;
      script.publish = [this](const Batch& batch) { return receive(batch); };
      return clients(std::vector(count, script));
    }
    AsyncScript script;
    script.publish = [this](const Batch& batch, Completion done) { done.finish(receive(batch)); };
    return clients(std::vector(count, script));
  }
  std::vector<std::vector<std::string>> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }

 private:
  PublishResult receive(const Batch& batch) {
    const std::lock_guard lock(mutex_);
    batches_.push_back(texts(batch));
    return answer(batch);
  }

  mutable std::mutex mutex_;
  std::vector<std::vector<std::string>> batches_;
};

INSTANTIATE_TEST_SUITE_P(With, Publish, testing::Values(Kind::sync, Kind::async),
                         [](const auto& kind) { return kind.param == Kind::sync ? "SyncClients" : "AsyncClients"; });

TEST_P(Publish, DeliversAnEventAndSignalsIt) {
  LoadBalancer balancer(workers());
  EXPECT_FALSE(balancer.publish_event("hello", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_FALSE(ears.outcome().reason);
  EXPECT_EQ(ears.outcome().acked, 1u);
  EXPECT_EQ(ears.outcome().failed, 0u);
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("hello")));
}

TEST_P(Publish, DeliversWithoutASignalToo) {
  LoadBalancer balancer(workers());
  EXPECT_FALSE(balancer.publish_event("one"));
  EXPECT_FALSE(balancer.try_publish_event("two"));
  EXPECT_FALSE(balancer.publish_events(events({"three", "four"})));
  EXPECT_FALSE(balancer.try_publish_events(events({"five"})));
  EXPECT_TRUE(balancer.drain(test::patience));
  std::vector<std::string> all;
  for (const auto& batch : batches()) all.insert(all.end(), batch.begin(), batch.end());
  EXPECT_THAT(all, ElementsAre("one", "two", "three", "four", "five"));
}

TEST_P(Publish, TakesAnEventThatIsEmpty) {
  LoadBalancer balancer(workers());
  EXPECT_FALSE(balancer.publish_event("", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_THAT(batches(), ElementsAre(ElementsAre("")));
}

TEST_P(Publish, GivesOneSignalToAPublishThatTravelsInSeveralBatches) {
  LoadBalancer::Options options;
  options.bulk_max_events = 3;
  LoadBalancer balancer(workers(2), options);
  EXPECT_FALSE(balancer.publish_events(numbered_events(10), ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 10u);
  EXPECT_EQ(batches().size(), 4u);
  balancer.close();
  EXPECT_EQ(ears.signals(), 1u);
}

TEST_P(Publish, TellsHowManyEventsOfAPublishFailed) {
  answer = [](const Batch& batch) {
    std::vector<PublishResult::Unpublished> rest;
    for (std::uint32_t index = 0; index < batch.size(); ++index)
      if (batch[index] == "bad") rest.push_back({index, errc::rejected});
    return PublishResult::returned(rest);
  };
  LoadBalancer balancer(workers());
  EXPECT_FALSE(balancer.publish_events(events({"good", "bad", "good"}), ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().reason, errc::rejected);
  EXPECT_EQ(ears.outcome().acked, 2u);
  EXPECT_EQ(ears.outcome().failed, 1u);
  EXPECT_EQ(ears.outcome().dead_lettered, 0u);
  EXPECT_EQ(balancer.statistics().ledger.dropped.at(errc::rejected), 1u);
}

TEST_P(Publish, HandsRejectedEventsToTheDeadLetterBeforeTheSignal) {
  answer = [](const Batch&) { return PublishResult::failed(errc::rejected); };
  std::vector<std::string> heard;
  LoadBalancer::Options options;
  options.dead_letter = [&](const DeadLetter& letter) {
    for (const std::string& text : texts(letter.events)) heard.push_back(text + ": " + letter.reason.message());
    EXPECT_EQ(letter.error, errc::rejected);
    EXPECT_EQ(letter.attempts, 1u);
    EXPECT_EQ(letter.endpoints.size(), 1u);
  };
  LoadBalancer balancer(workers(), options);
  EXPECT_FALSE(balancer.publish_event("bad", [&](const Outcome& outcome) {
    heard.emplace_back("signal");
    EXPECT_EQ(outcome.reason, errc::rejected);
    EXPECT_EQ(outcome.dead_lettered, 1u);
  }));
  EXPECT_TRUE(balancer.drain(test::patience));
  EXPECT_THAT(heard, ElementsAre("bad: the endpoint rejected the event", "signal"));
  EXPECT_EQ(balancer.statistics().ledger.dead_lettered, 1u);
}

TEST_P(Publish, TellsHowManyEventsOfAPublishWentToTheDeadLetter) {
  answer = [](const Batch&) { return PublishResult::returned({{1, errc::rejected}}); };
  LoadBalancer::Options options;
  options.dead_letter = [](const DeadLetter&) {};
  LoadBalancer balancer(workers(), options);
  EXPECT_FALSE(balancer.publish_events(events({"good", "bad", "good"}), ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 2u);
  EXPECT_EQ(ears.outcome().failed, 1u);
  EXPECT_EQ(ears.outcome().dead_lettered, 1u);
}

TEST_P(Publish, DropsAnEventWhenItsAttemptsAreUsedUp) {
  answer = [](const Batch&) { return PublishResult::failed(errc::temporary); };
  LoadBalancer::Options options;
  options.max_retries = 2;
  LoadBalancer balancer(workers(), options);
  EXPECT_FALSE(balancer.publish_event("hopeless", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().reason, errc::attempts_exhausted);
  EXPECT_EQ(ears.outcome().failed, 1u);
  EXPECT_EQ(batches().size(), 3u);
}

TEST_P(Publish, RetriesAGuaranteedEventForAsLongAsItTakes) {
  answer = [failures = 20](const Batch&) mutable {
    return failures-- > 0 ? PublishResult::failed(errc::temporary) : PublishResult::acked();
  };
  LoadBalancer::Options options;
  options.max_retries = 0;
  LoadBalancer balancer(workers(), options);
  EXPECT_FALSE(balancer.publish_event("precious", ears.signal(), {.guaranteed = true}));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
  EXPECT_EQ(batches().size(), 21u);
}

TEST_P(Publish, KeepsTheOrderOfAThreadOverOneConnection) {
  LoadBalancer::Options options;
  options.pipelining = 1;
  options.bulk_max_events = 7;
  LoadBalancer balancer(workers(), options);
  std::vector<std::string> published;
  for (int number = 0; number < 500; ++number) {
    published.push_back(std::to_string(number));
    // Alone and in pairs, with and without a signal: each of these is gathered differently.
    if (number % 3 == 0) {
      ASSERT_FALSE(balancer.publish_events(events({published.back()})));
    } else if (number % 3 == 1) {
      ASSERT_FALSE(balancer.publish_event(published.back(), ears.signal()));
    } else {
      ASSERT_FALSE(balancer.publish_event(published.back()));
    }
  }
  ASSERT_TRUE(balancer.drain(test::patience));
  std::vector<std::string> received;
  for (const auto& batch : batches()) received.insert(received.end(), batch.begin(), batch.end());
  EXPECT_EQ(received, published);
}

// What is refused.

TEST_P(Publish, RefusesNoEventsAtAll) {
  LoadBalancer balancer(workers());
  EXPECT_EQ(balancer.publish_events(EventBuffer(), ears.signal()), errc::no_events);
  EXPECT_EQ(balancer.try_publish_events(EventBuffer(), ears.signal()), errc::no_events);
  balancer.close();
  EXPECT_EQ(ears.signals(), 0u);
}

TEST_P(Publish, RefusesWhatWouldNeverFindRoomInsteadOfWaiting) {
  LoadBalancer::Options options;
  options.queue_events = 3;
  options.queue_bytes = 10;
  LoadBalancer balancer(workers(), options);
  EXPECT_EQ(balancer.publish_event("eleven long", ears.signal()), errc::too_large);
  EXPECT_EQ(balancer.publish_events(numbered_events(4), ears.signal()), errc::too_large);
  EventBuffer refused = events({"eleven", "long", "x"});
  EXPECT_EQ(balancer.publish_events(std::move(refused), ears.signal()), errc::too_large);
  EXPECT_EQ(refused.size(), 3u) << "refused events are left with the caller";
  EXPECT_FALSE(balancer.publish_event("ten bytes.", ears.signal()));
  balancer.close();
  EXPECT_EQ(ears.signals(), 1u);
  EXPECT_EQ(balancer.statistics().ledger.refused, 8u);
}

TEST_P(Publish, RefusesEverythingOnceItIsClosed) {
  LoadBalancer balancer(workers());
  balancer.close();
  EventBuffer refused = numbered_events(2);
  EXPECT_EQ(balancer.publish_event("late", ears.signal()), errc::closed);
  EXPECT_EQ(balancer.try_publish_event("late", ears.signal()), errc::closed);
  EXPECT_EQ(balancer.publish_events(std::move(refused), ears.signal()), errc::closed);
  EXPECT_EQ(balancer.try_publish_events(std::move(refused), ears.signal()), errc::closed);
  EXPECT_EQ(refused.size(), 2u);
  EXPECT_EQ(ears.signals(), 0u);
}

// Backpressure: with a client that answers when the test says so.

class FullQueue : public testing::Test {
 protected:
  FullQueue() {
    LoadBalancer::Options options;
    options.queue_events = 2;
    options.queue_bytes = 100;
    options.pipelining = 2;
    options.fixed_windows = true;
    options.bulk_max_events = 1;
    balancer.emplace(client(holding(held)), options);
    // Not as single events: those may be gathered, and then their bytes count until all of them are settled.
    EXPECT_FALSE(balancer->publish_events(events({"one"}), ears.signal()));
    EXPECT_FALSE(balancer->publish_events(events({"two"}), ears.signal()));
  }
  ~FullQueue() override { balancer.reset(); }

  Ears ears;
  test::Mailbox<Held> held;
  std::optional<LoadBalancer> balancer;
};

TEST_F(FullQueue, IsToldToThoseWhoDoNotWantToWait) {
  EXPECT_EQ(balancer->try_publish_event("three", ears.signal()), errc::queue_full);
  EventBuffer refused = events({"three"});
  EXPECT_EQ(balancer->try_publish_events(std::move(refused), ears.signal()), errc::queue_full);
  EXPECT_EQ(refused.size(), 1u);
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_FALSE(balancer->try_publish_event("three", ears.signal())) << "what is signalled takes no room";
}

TEST_F(FullQueue, CountsBytesAsWell) {
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(balancer->try_publish_event(std::string(98, 'x'), ears.signal()), errc::queue_full);
  EXPECT_FALSE(balancer->try_publish_event(std::string(97, 'x'), ears.signal()));
}

TEST_F(FullQueue, MakesPublishersWaitUntilThereIsRoom) {
  std::atomic<bool> returned{false};
  std::thread publisher([&] {
    EXPECT_FALSE(balancer->publish_event("three", ears.signal()));
    returned = true;
  });
  Held first = held.take();
  Held second = held.take();
  EXPECT_FALSE(returned);
  first.done.acked();
  publisher.join();
  EXPECT_EQ(texts(held.take().batch), std::vector<std::string>{"three"});
}

TEST_F(FullQueue, MakesPublishersOfManyEventsWaitForTheRoomThatTheyNeed) {
  std::atomic<bool> returned{false};
  std::thread publisher([&] {
    EXPECT_FALSE(balancer->publish_events(events({"three", "four"}), ears.signal()));
    returned = true;
  });
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_FALSE(returned);
  held.take().done.acked();
  publisher.join();
}

TEST_F(FullQueue, TellsWaitingPublishersThatItCloses) {
  std::vector<std::thread> publishers;
  for (int i = 0; i < 4; ++i)
    publishers.emplace_back([&] { EXPECT_EQ(balancer->publish_event("three", ears.signal()), errc::closed); });
  balancer->close();
  for (std::thread& publisher : publishers) publisher.join();
  EXPECT_EQ(ears.signals(), 2u) << "of the two that were accepted";
  EXPECT_EQ(balancer->statistics().ledger.refused, 4u);
}

TEST_F(FullQueue, TellsWaitingPublishersThatItDrains) {
  std::thread publisher([&] { EXPECT_EQ(balancer->publish_event("three", ears.signal()), errc::closed); });
  std::thread drainer([&] { EXPECT_TRUE(balancer->drain(test::patience)); });
  publisher.join();
  held.take().done.acked();
  held.take().done.acked();
  drainer.join();
}

TEST_F(FullQueue, IsToldToASignalThatPublishesSinceTheLoopCannotWaitForItself) {
  Ears inner;
  test::Gate signalled;
  held.take().done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  std::error_code first;
  std::error_code second;
  ASSERT_FALSE(balancer->publish_event("three", [&](const Outcome&) {
    first = balancer->publish_event("four", inner.signal());
    second = balancer->publish_event("five", inner.signal());
    signalled.open();
  }));
  const Held two = held.take();  // stays in flight
  held.take().done.acked();
  ASSERT_TRUE(signalled.wait());
  EXPECT_FALSE(first) << "the event that is being signalled takes no room any more";
  EXPECT_EQ(second, errc::queue_full);
  balancer.reset();  // which signals "four"
  EXPECT_EQ(inner.signals(), 1u);
}

}  // namespace
}  // namespace windlass
