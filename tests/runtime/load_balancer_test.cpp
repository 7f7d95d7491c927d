// Making a balancer, and what it tells of itself. publish_test, close_test and answers_test have the rest.

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

#include <windlass/windlass.h>

#include "clients.h"

namespace windlass {
namespace {

// Factories.

TEST(WorkerFactory, ThatMakesNoWorkerIsRefused) {
  try {
    LoadBalancer balancer([](runtime::Loop&) { return std::vector<Worker>(); });
    FAIL() << "made a balancer without workers";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), errc::no_workers_configured);
  }
  EXPECT_THROW(LoadBalancer{clients(std::vector<SyncScript>())}, std::system_error);
  EXPECT_THROW(LoadBalancer{clients(std::vector<AsyncScript>())}, std::system_error);
}

TEST(WorkerFactory, ThatThrowsIsPassedOn) {
  const WorkerFactory throwing = [](runtime::Loop&) -> std::vector<Worker> { throw std::domain_error("the user's"); };
  EXPECT_THROW(LoadBalancer{throwing}, std::domain_error);
}

template <typename Client>
std::vector<Worker> one_worker_without_client(runtime::Loop&) {
  std::vector<Worker> workers(2);
  workers[0].client = std::make_unique<ScriptedSyncClient>(SyncScript());
  workers[1].endpoint = "forgotten";
  workers[1].client = std::unique_ptr<Client>();
  return workers;
}

TEST(WorkerFactory, ThatForgetsAClientIsRefused) {
  EXPECT_THROW(LoadBalancer(one_worker_without_client<SyncClient>), std::invalid_argument);
  EXPECT_THROW(LoadBalancer(one_worker_without_client<AsyncClient>), std::invalid_argument);
}

TEST(WorkerFactory, OfClientsCanBeUsedOnce) {
  const WorkerFactory factory = client(SyncScript());
  LoadBalancer balancer(factory);
  EXPECT_THROW(LoadBalancer{factory}, std::system_error);
}

TEST(WorkerFactory, OfClientsMakesAWorkerForEach) {
  LoadBalancer balancer(clients(std::vector<AsyncScript>(3)));
  const Statistics statistics = balancer.statistics();
  ASSERT_EQ(statistics.workers.size(), 3u);
  EXPECT_EQ(statistics.workers[2].endpoint, "client 2");
}

TEST(WorkerFactory, MayMixClientsOfBothKinds) {
  Ears ears;
  std::atomic<int> sync{0};
  std::atomic<int> async{0};
  LoadBalancer::Options options;
  options.bulk_max_events = 1;
  LoadBalancer balancer(
      [&](runtime::Loop&) {
        SyncScript by_thread;
        by_thread.publish = [&](const Batch&) {
          ++sync;
          return PublishResult::acked();
        };
        AsyncScript by_callback;
        by_callback.publish = [&](const Batch&, Completion done) {
          ++async;
          done.acked();
        };
        std::vector<Worker> workers(2);
        workers[0].client = std::make_unique<ScriptedSyncClient>(std::move(by_thread));
        workers[1].client = std::make_unique<ScriptedAsyncClient>(std::move(by_callback));
        return workers;
      },
      options);
  std::size_t published = 0;
  while (sync == 0 || async == 0) {
    ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
    ASSERT_TRUE(ears.wait_for(++published));
  }
  EXPECT_TRUE(balancer.drain(test::patience));
}

// Options.

TEST(Options, MayHaveTimesWithoutEnd) {
  Ears ears;
  LoadBalancer::Options options;
  options.timeout = options.progress_timeout = options.close_grace = std::chrono::nanoseconds::max();
  test::Mailbox<std::chrono::milliseconds> timeouts;
  SyncScript script;
  script.connect = [&](std::chrono::milliseconds timeout) {
    timeouts.put(timeout);
    return std::error_code();
  };
  LoadBalancer balancer(client(script), options);
  // A client may well add it to the time that it is, in nanoseconds.
  EXPECT_GT(timeouts.take(), 1h);
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
}

TEST(Options, OfTheSmallestSizesStillDeliver) {
  Ears ears;
  LoadBalancer::Options options;
  options.queue_events = 1;
  options.queue_bytes = 8;
  options.bulk_max_events = 0;
  options.bulk_max_bytes = 0;
  options.pipelining = 0;
  options.close_grace = 0s;
  LoadBalancer balancer(client(AsyncScript()), options);
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(balancer.publish_event("8 bytes.", ears.signal()));
  EXPECT_TRUE(balancer.drain(test::patience));
  EXPECT_EQ(ears.signals(), 100u);
}

TEST(Options, HaveAnEndToTheWaitForAWorker) {
  Ears ears;
  LoadBalancer::Options options;
  options.timeout = 1ms;
  options.max_retries = 2;
  AsyncScript script;
  script.connect = [](const Link& link) { link.lost(errc::connect_failed); };
  LoadBalancer balancer(client(script), options);
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().reason, errc::no_worker);
}

TEST(Options, WithPriorityUseAReserveOnlyWhileTheBetterIsAway) {
  Ears ears;
  test::Mailbox<std::string> used;
  test::Mailbox<Link> links;
  const auto worker = [&](const char* name, unsigned priority) {
    AsyncScript script;
    script.connect = [&links, priority, connects = 0](const Link& link) mutable {
      if (priority == 0 && ++connects > 1) return link.lost(errc::connect_failed);
      link.connected();
      if (priority == 0) links.put(link);
    };
    script.publish = [&used, name](const Batch&, Completion done) {
      used.put(name);
      done.acked();
    };
    Worker result;
    result.endpoint = name;
    result.client = std::make_unique<ScriptedAsyncClient>(std::move(script));
    result.priority = priority;
    result.wait_retry = result.max_wait_retry = 1ms;
    return result;
  };
  LoadBalancer balancer([&](runtime::Loop&) {
    std::vector<Worker> workers;
    workers.push_back(worker("reserve", 1));
    workers.push_back(worker("first", 0));
    return workers;
  });
  ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
  EXPECT_EQ(used.take(), "first");
  links.take().lost(errc::connection_lost);
  ASSERT_FALSE(balancer.publish_event("two", ears.signal()));
  EXPECT_EQ(used.take(), "reserve");
}

TEST(Options, WithATtlRenewTheConnectionWithoutSpendingAnAttempt) {
  Ears ears;
  test::Count connects;
  LoadBalancer::Options options;
  options.max_retries = 0;
  LoadBalancer balancer(
      [&](runtime::Loop&) {
        AsyncScript script;
        script.connect = [&](const Link& link) {
          connects.add();
          link.connected();
        };
        std::vector<Worker> workers(1);
        workers[0].client = std::make_unique<ScriptedAsyncClient>(std::move(script));
        workers[0].ttl = 1ms;
        return workers;
      },
      options);
  std::size_t published = 0;
  while (connects.value() < 5) {
    ASSERT_FALSE(balancer.publish_event("one", ears.signal()));
    ASSERT_TRUE(ears.wait_for(++published));
  }
  EXPECT_EQ(balancer.statistics().ledger.acked, published);
  EXPECT_EQ(balancer.statistics().workers[0].failed_attempts, 0u);
}

// Statistics.

TEST(StatisticsOfABalancer, CountWhatWasAcceptedBeforeTheyAreAskedFor) {
  test::Mailbox<Held> held;
  LoadBalancer balancer(client(holding(held)));
  for (std::uint64_t published = 1; published <= 200; ++published) {
    ASSERT_FALSE(balancer.publish_event("one"));
    const Ledger ledger = balancer.statistics().ledger;
    EXPECT_EQ(ledger.accepted, published);
    EXPECT_TRUE(ledger.balanced());
  }
}

TEST(StatisticsOfABalancer, MayBeAskedForFromASignal) {
  test::Gate asked;
  LoadBalancer balancer(client(SyncScript()));
  ASSERT_FALSE(balancer.publish_event("one", [&](const Outcome&) {
    const Statistics statistics = balancer.statistics();
    EXPECT_EQ(statistics.ledger.acked, 1u);
    EXPECT_TRUE(statistics.ledger.balanced());
    asked.open();
  }));
  ASSERT_TRUE(asked.wait());
}

TEST(StatisticsOfABalancer, TellOfEachWorker) {
  Ears ears;
  test::Mailbox<Held> held;
  LoadBalancer balancer(client(holding(held)));
  ASSERT_FALSE(balancer.publish_events(numbered_events(3), ears.signal()));
  Held batch = held.take();
  WorkerStatistics worker = balancer.statistics().workers.at(0);
  EXPECT_EQ(worker.state, WorkerState::connected);
  EXPECT_EQ(worker.in_flight, 3u);
  EXPECT_EQ(worker.connects, 1u);
  EXPECT_EQ(worker.window, 2u);
  batch.done.acked();
  ASSERT_TRUE(ears.wait_for(1));
  worker = balancer.statistics().workers.at(0);
  EXPECT_EQ(worker.in_flight, 0u);
  EXPECT_EQ(worker.acked, 3u);
  EXPECT_EQ(worker.batches, 1u);
  EXPECT_EQ(worker.latency.count, 1u);
}

TEST(StatisticsOfABalancer, AreToBeHadFromManyThreadsWhileItCloses) {
  for (int round = 0; round < 20; ++round) {
    LoadBalancer balancer(client(SyncScript()));
    std::atomic<bool> enough{false};
    test::Count asked;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        while (!enough) {
          EXPECT_TRUE(balancer.statistics().ledger.balanced());
          asked.add();
        }
      });
    }
    for (int i = 0; i < 50; ++i) EXPECT_FALSE(balancer.publish_event("one"));
    ASSERT_TRUE(asked.wait_for(10));
    balancer.close();
    const std::size_t before = asked.value();
    ASSERT_TRUE(asked.wait_for(before + 10));
    enough = true;
    for (std::thread& thread : threads) thread.join();
    const Ledger ledger = balancer.statistics().ledger;
    EXPECT_EQ(ledger.accepted, 50u);
    EXPECT_EQ(ledger.queued + ledger.in_flight, 0u);
  }
}

}  // namespace
}  // namespace windlass
