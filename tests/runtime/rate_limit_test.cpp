// A limit of events a second, by the real clock. It is a bound from above, so that a slow machine breaks none of this.

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>

#include <windlass/windlass.h>

#include "clients.h"

namespace windlass {
namespace {

Worker worker_at(std::string endpoint, double rate_limit, std::atomic<std::size_t>& given) {
  AsyncScript script;
  script.publish = [&given](const Batch& batch, Completion done) {
    given += batch.size();
    done.acked();
  };
  Worker worker;
  worker.endpoint = std::move(endpoint);
  worker.client = std::make_unique<ScriptedAsyncClient>(std::move(script));
  worker.rate_limit = rate_limit;
  return worker;
}

TEST(RateLimit, HoldsForAllConnectionsToOneEndpoint) {
  constexpr double rate = 1000;
  constexpr int events = 700;
  std::atomic<std::size_t> given{0};
  const auto begun = std::chrono::steady_clock::now();
  LoadBalancer balancer([&](runtime::Loop&) {
    std::vector<Worker> workers;
    for (int i = 0; i < 2; ++i) workers.push_back(worker_at("quota", rate, given));
    return workers;
  });
  for (int i = 0; i < events; ++i) EXPECT_FALSE(balancer.publish_event("event"));
  EXPECT_TRUE(balancer.drain(1min));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(took.count(), (events - rate / 10 - rate / 10) / rate) << "all but a burst and a batch come at the rate";
  EXPECT_EQ(given, std::size_t{events});
  const Statistics statistics = balancer.statistics();
  EXPECT_EQ(statistics.ledger.acked, std::uint64_t{events});
  for (const WorkerStatistics& worker : statistics.workers) {
    EXPECT_EQ(worker.rate_limit, rate);
    EXPECT_GE(worker.at_rate_limit, 400ms);
  }
}

TEST(RateLimit, HoldsNobodyElseUp) {
  std::atomic<std::size_t> with{0};
  std::atomic<std::size_t> without{0};
  LoadBalancer balancer([&](runtime::Loop&) {
    std::vector<Worker> workers;
    workers.push_back(worker_at("quota", 0.001, with));  // two events at once, and then none for a quarter of an hour
    workers.push_back(worker_at("free", 0, without));
    return workers;
  });
  for (int i = 0; i < 5000; ++i) EXPECT_FALSE(balancer.publish_event("event"));
  EXPECT_TRUE(balancer.drain(1min));
  EXPECT_LE(with, 2u);
  EXPECT_EQ(with + without, 5000u);
}

}  // namespace
}  // namespace windlass
