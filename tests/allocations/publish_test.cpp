// What publishing costs the heap, in the steady state: when as much has been published as the buffers can hold.

#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include <windlass/windlass.h>

#include "counting.h"
#include "support/waiting.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

class IdleSyncClient final : public SyncClient {
 public:
  std::error_code connect(std::chrono::milliseconds) override { return {}; }
  PublishResult publish(const Batch&) override { return PublishResult::acked(); }
  void close() noexcept override {}
};

class IdleAsyncClient final : public AsyncClient {
 public:
  void connect(Link link, std::chrono::milliseconds) override { link.connected(); }
  void publish(Batch, Completion done) override { done.acked(); }
  void close() noexcept override {}
};

enum class Kind { sync, async };

class Allocations : public testing::TestWithParam<Kind> {
 protected:
  static WorkerFactory workers() {
    if (GetParam() == Kind::sync) {
      std::vector<std::unique_ptr<SyncClient>> clients;
      for (int i = 0; i < 2; ++i) clients.push_back(std::make_unique<IdleSyncClient>());
      return sync_clients(std::move(clients), 1s, 60s);
    }
    std::vector<std::unique_ptr<AsyncClient>> clients;
    for (int i = 0; i < 2; ++i) clients.push_back(std::make_unique<IdleAsyncClient>());
    return async_clients(std::move(clients), 1s, 60s);
  }

  /// Publishes single events and waits until all of them are signalled.
  void publish_singly(LoadBalancer& balancer, std::size_t count) {
    const std::size_t before = signals;
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_FALSE(balancer.publish_event(event, [this](const Outcome&) { ++signals; }));
    ASSERT_TRUE(test::eventually([&] { return signals == before + count; }));
  }

  const std::string event = std::string(250, 'x');
  std::atomic<std::size_t> signals{0};
};

INSTANTIATE_TEST_SUITE_P(With, Allocations, testing::Values(Kind::sync, Kind::async),
                         [](const auto& kind) { return kind.param == Kind::sync ? "SyncClients" : "AsyncClients"; });

TEST_P(Allocations, AreNoMoreThanOneForEachEventInAStream) {
  constexpr std::size_t events = 200'000;
  LoadBalancer balancer(workers());
  publish_singly(balancer, events);
  const std::size_t before = test::allocations();
  publish_singly(balancer, events);
  EXPECT_LE(test::allocations() - before, events);
}

TEST_P(Allocations, AreAHandfulForABatchHoweverManyEventsItHas) {
  constexpr std::size_t batches = 200;
  LoadBalancer balancer(workers());
  const auto publish_batches = [&](std::size_t size) {
    const std::size_t allocated = test::allocations();
    for (std::size_t i = 0; i < batches; ++i) {
      EventBuffer buffer;
      buffer.reserve(size * event.size(), size);
      for (std::size_t number = 0; number < size; ++number) buffer.append(event);
      const std::size_t before = signals;
      EXPECT_FALSE(balancer.publish_events(std::move(buffer), [this](const Outcome&) { ++signals; }));
      EXPECT_TRUE(test::eventually([&] { return signals > before; }));
    }
    return (test::allocations() - allocated) / batches;
  };
  publish_batches(2000);
  EXPECT_LE(publish_batches(2000), 20u);
}

TEST_P(Allocations, DoNotPileUpOverAMillionSingleEvents) {
  constexpr std::size_t events = 100'000;
  LoadBalancer balancer(workers());
  publish_singly(balancer, events);
  publish_singly(balancer, events);
  const std::size_t before = test::bytes_in_use();
  for (int round = 0; round < 10; ++round) publish_singly(balancer, events);
  // Buffers that are kept to be filled again: as many as the budgets allow, not more with every event.
  const LoadBalancer::Options defaults;
  EXPECT_LE(test::bytes_in_use(), before + 2 * defaults.queue_bytes);
}

TEST_P(Allocations, DoNotPileUpWhileEachEventIsWaitedFor) {
  constexpr std::size_t events = 10'000;
  test::Count signalled;
  LoadBalancer balancer(workers());
  const auto one_by_one = [&] {
    for (std::size_t i = 0; i < events; ++i) {
      const std::size_t before = signalled.value();
      ASSERT_FALSE(balancer.publish_event(event, [&](const Outcome&) { signalled.add(); }));
      ASSERT_TRUE(signalled.wait_for(before + 1));
    }
  };
  one_by_one();
  const std::size_t before = test::bytes_in_use();
  one_by_one();
  // A timer for each hand-over, say, would be 1 MB by now.
  EXPECT_LE(test::bytes_in_use(), before + (std::size_t{256} << 10));
}

}  // namespace
}  // namespace windlass
