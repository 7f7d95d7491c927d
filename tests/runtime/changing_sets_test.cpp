// Workers that join and leave while events go on.

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>

#include <windlass/windlass.h>

#include "clients.h"

namespace windlass {
namespace {

Worker worker_of(std::string endpoint, AsyncScript script) {
  Worker worker;
  worker.endpoint = std::move(endpoint);
  worker.client = std::make_unique<ScriptedAsyncClient>(std::move(script));
  worker.wait_retry = 1ms;
  return worker;
}

std::vector<Worker> workers_of(Worker worker) {
  std::vector<Worker> workers;
  workers.push_back(std::move(worker));
  return workers;
}

WorkerFactory factory_of(Worker worker) {
  const auto shared = std::make_shared<Worker>(std::move(worker));
  return [shared](runtime::Loop&) { return workers_of(std::move(*shared)); };
}

TEST(ChangingSets, AWorkerThatJoinsTakesWhatTheFirstOneCannot) {
  AsyncScript never;
  never.connect = [](const Link&) {};
  LoadBalancer balancer(factory_of(worker_of("a", never)));
  EXPECT_FALSE(balancer.publish_event("event"));
  balancer.add_workers(workers_of(worker_of("b", AsyncScript())));
  EXPECT_TRUE(balancer.drain(10s));
  EXPECT_EQ(balancer.statistics().workers.at(1).acked, 1u);
}

TEST(ChangingSets, ASynchronousWorkerJoinsAndLeavesToo) {
  std::atomic<int> closes{0};
  LoadBalancer balancer(factory_of(worker_of("a", AsyncScript())));
  SyncScript script;
  script.close = [&] { ++closes; };
  Worker second;
  second.endpoint = "b";
  second.client = std::make_unique<ScriptedSyncClient>(script);
  balancer.add_workers(workers_of(std::move(second)));
  ASSERT_TRUE(test::eventually([&] { return balancer.statistics().workers.at(1).state == WorkerState::connected; }));
  balancer.remove_workers("b", 10s);
  ASSERT_TRUE(test::eventually([&] { return balancer.statistics().workers.at(1).state == WorkerState::left; }));
  EXPECT_GT(closes, 0);
  EXPECT_FALSE(balancer.publish_event("event"));
  EXPECT_TRUE(balancer.drain(10s));
}

TEST(ChangingSets, ASynchronousClientThatHasLeftIsGoneAfterTheClose) {
  auto in_use = std::make_shared<int>();
  const std::weak_ptr<int> client = in_use;
  Worker first;
  first.endpoint = "a";
  SyncScript script;
  script.close = [in_use] {};
  first.client = std::make_unique<ScriptedSyncClient>(std::move(script));
  {
    LoadBalancer balancer(factory_of(std::move(first)));
    in_use.reset();
    ASSERT_TRUE(test::eventually([&] { return balancer.statistics().workers.at(0).state == WorkerState::connected; }));
    balancer.remove_workers("a", 10s);
    ASSERT_TRUE(test::eventually([&] { return balancer.statistics().workers.at(0).state == WorkerState::left; }));
  }
  EXPECT_TRUE(client.expired()) << "nobody calls it any more";
}

TEST(ChangingSets, WhatALeavingWorkerHoldsIsSentElsewhereWhenItsTimeIsOver) {
  std::atomic<bool> holds{false};
  std::vector<Completion> held;  // of the loop's thread
  AsyncScript holding;
  holding.publish = [&](const Batch&, Completion done) {
    held.push_back(std::move(done));
    holds = true;
  };
  LoadBalancer::Options options;
  options.max_retries = 0;
  std::atomic<int> acked{0};
  LoadBalancer balancer(factory_of(worker_of("a", holding)), options);
  EXPECT_FALSE(balancer.publish_event("event", [&](const Outcome& outcome) { acked += !outcome.reason; }));
  ASSERT_TRUE(test::eventually([&] { return holds.load(); }));
  balancer.add_workers(workers_of(worker_of("b", AsyncScript())));
  balancer.remove_workers("a", 1ms);
  EXPECT_TRUE(balancer.drain(10s));
  EXPECT_EQ(acked, 1);
}

TEST(ChangingSets, WithoutWorkersWorkWaits) {
  LoadBalancer balancer(factory_of(worker_of("a", AsyncScript())));
  balancer.remove_workers("a", 1s);
  ASSERT_TRUE(test::eventually([&] { return balancer.statistics().workers.at(0).state == WorkerState::left; }));
  EXPECT_FALSE(balancer.publish_event("event"));
  EXPECT_EQ(balancer.statistics().ledger.queued, 1u);
  balancer.add_workers(workers_of(worker_of("b", AsyncScript())));
  EXPECT_TRUE(balancer.drain(10s));
}

TEST(ChangingSets, AWorkerWithoutAClientIsRefused) {
  LoadBalancer balancer(factory_of(worker_of("a", AsyncScript())));
  EXPECT_THROW(balancer.add_workers(std::vector<Worker>(1)), std::invalid_argument);
}

TEST(ChangingSets, ChangesAfterTheCloseChangeNothing) {
  LoadBalancer balancer(factory_of(worker_of("a", AsyncScript())));
  balancer.close();
  balancer.add_workers(workers_of(worker_of("b", AsyncScript())));
  balancer.remove_workers("a", 1s);
  EXPECT_EQ(balancer.statistics().workers.size(), 1u);
}

TEST(ChangingSets, AConnectionThatIsTooOldIsReplacedByAnotherClientBeforeItCloses) {
  std::atomic<int> connects{0};
  std::atomic<int> open{0};
  std::atomic<int> least_open{9};
  AsyncScript script;
  script.connect = [&](const Link& link) {
    ++connects;
    ++open;
    link.connected();
  };
  script.close = [&] { least_open = std::min(least_open.load(), --open); };
  Worker worker = worker_of("a", script);
  worker.ttl = 5ms;
  worker.another = [script] { return std::make_unique<ScriptedAsyncClient>(script); };
  LoadBalancer balancer(factory_of(std::move(worker)));
  while (connects < 5) EXPECT_FALSE(balancer.publish_event("event"));
  EXPECT_GE(least_open, 1) << "there was always one";
  EXPECT_TRUE(balancer.drain(10s));
  const Statistics statistics = balancer.statistics();
  EXPECT_EQ(statistics.ledger.retried, 0u);
}

}  // namespace
}  // namespace windlass
