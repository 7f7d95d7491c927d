// The balancer with its queue on disk.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <set>

#include <windlass/windlass.h>

#include "clients.h"
#include "support/temporary_directory.h"

namespace windlass {
namespace {

using Sync = DiskQueueOptions::Sync;
using SignalAt = PublishOptions::SignalAt;

/// An endpoint that can be down, and remembers what it got.
class Endpoint {
 public:
  WorkerFactory workers() {
    AsyncScript script;
    script.connect = [this](const Link& link) { up_ ? link.connected() : link.lost(errc::connect_failed, "down"); };
    script.publish = [this](const Batch& batch, Completion done) {
      const std::lock_guard lock(mutex_);
      for (const std::string_view event : batch) got_.emplace(event);
      done.acked();
    };
    return client(script);
  }
  void up(bool is_up) { up_ = is_up; }
  std::multiset<std::string> got() const {
    const std::lock_guard lock(mutex_);
    return got_;
  }

 private:
  std::atomic<bool> up_{true};
  mutable std::mutex mutex_;
  std::multiset<std::string> got_;
};

class OnDisk : public testing::TestWithParam<Sync> {
 protected:
  LoadBalancerOptions options() const {
    LoadBalancerOptions result;
    result.disk_queue.emplace();
    result.disk_queue->path = directory.path() / "queue";
    result.disk_queue->sync = GetParam();
    result.disk_queue->sync_interval = std::chrono::milliseconds(20);
    result.max_retries = -1;
    return result;
  }

  test::TemporaryDirectory directory;
  Endpoint endpoint;
  Ears ears;
};

INSTANTIATE_TEST_SUITE_P(Synced, OnDisk, testing::Values(Sync::every_batch, Sync::interval, Sync::left_to_system),
                         [](const auto& sync) {
                           return sync.param == Sync::every_batch ? "EveryBatch"
                                  : sync.param == Sync::interval  ? "ByInterval"
                                                                  : "BySystem";
                         });

TEST_P(OnDisk, DeliversWhatIsPublishedAndLeavesNothing) {
  LoadBalancer balancer(endpoint.workers(), options());
  EXPECT_FALSE(balancer.publish_event("one", ears.signal()));
  EXPECT_FALSE(balancer.publish_events(events({"two", "three"}), ears.signal()));
  EXPECT_FALSE(balancer.publish_event("four"));
  EXPECT_TRUE(balancer.drain(test::patience));
  EXPECT_THAT(endpoint.got(), testing::UnorderedElementsAre("one", "two", "three", "four"));
  EXPECT_EQ(ears.signals(), 2u);
  EXPECT_EQ(ears.outcome(1).acked, 2u);
  const Statistics statistics = balancer.statistics();
  EXPECT_EQ(statistics.ledger.acked, 4u);
  EXPECT_TRUE(statistics.ledger.balanced());
  EXPECT_EQ(statistics.disk->events, 0u);
  EXPECT_EQ(statistics.disk->segments, 0u);
}

TEST_P(OnDisk, WhatIsLeftIsDeliveredByTheNextOne) {
  endpoint.up(false);
  {
    LoadBalancer balancer(endpoint.workers(), options());
    PublishOptions durable;
    durable.signal_at = SignalAt::durable;
    EXPECT_FALSE(balancer.publish_events(numbered_events(100), ears.signal(), durable));
    EXPECT_FALSE(balancer.publish_event("single", ears.signal(), durable));
    EXPECT_FALSE(balancer.publish_event("waits", ears.signal()));
    ASSERT_TRUE(ears.wait_for(2));
    EXPECT_FALSE(ears.outcome(0).reason);
    EXPECT_EQ(ears.outcome(0).acked, 100u);
    EXPECT_EQ(ears.outcome(1).acked, 1u);
    balancer.close();
    EXPECT_EQ(ears.outcome(2).reason, errc::closed);
    const Ledger ledger = balancer.statistics().ledger;
    EXPECT_EQ(ledger.queued, 102u);
    EXPECT_TRUE(ledger.balanced());
    EXPECT_EQ(ears.signals(), 3u);
  }
  endpoint.up(true);
  LoadBalancer balancer(endpoint.workers(), options());
  EXPECT_TRUE(balancer.drain(test::patience));
  const auto got = endpoint.got();
  EXPECT_EQ(got.size(), 102u);
  EXPECT_EQ(std::set(got.begin(), got.end()).size(), 102u);
  EXPECT_EQ(balancer.statistics().ledger.accepted, 102u);
  EXPECT_EQ(balancer.statistics().disk->recovered, 102u);
}

TEST_P(OnDisk, MoreFitsOnDiskThanIsHeldInMemory) {
  endpoint.up(false);
  LoadBalancerOptions few = options();
  few.queue_events = 100;
  LoadBalancer balancer(endpoint.workers(), few);
  for (int i = 0; i < 50; ++i) {
    PublishOptions durable;
    durable.signal_at = i % 2 == 0 ? SignalAt::durable : SignalAt::delivered;
    EXPECT_FALSE(
        balancer.publish_events(numbered_events(20), i % 2 == 0 || i < 20 ? ears.signal() : Signal(), durable));
  }
  endpoint.up(true);
  EXPECT_TRUE(balancer.drain(test::patience));
  EXPECT_EQ(endpoint.got().size(), 1000u);
  EXPECT_EQ(ears.signals(), 35u);
  for (std::size_t publish = 0; publish < 35; ++publish) {
    EXPECT_EQ(ears.times(publish), 1u);
    EXPECT_EQ(ears.outcome(publish).acked, 20u);
  }
}

TEST_P(OnDisk, PublishersWaitWhenItIsFullAndGoOnWhenThereIsRoom) {
  endpoint.up(false);
  LoadBalancerOptions small = options();
  small.disk_queue->max_size = 1 << 20;
  LoadBalancer balancer(endpoint.workers(), small);
  const std::string large(10'000, 'x');
  std::atomic<int> published{0};
  std::thread publisher([&] {
    for (int i = 0; i < 500; ++i, ++published) EXPECT_FALSE(balancer.publish_event(large));
  });
  EXPECT_TRUE(test::eventually([&] { return balancer.statistics().disk->full; }));
  EXPECT_LT(published, 500);
  EXPECT_LE(balancer.statistics().disk->bytes, 1u << 20);
  endpoint.up(true);
  publisher.join();
  EXPECT_TRUE(balancer.drain(test::patience));
  EXPECT_EQ(endpoint.got().size(), 500u);
}

TEST_P(OnDisk, DamageIsDroppedWithItsReason) {
  endpoint.up(false);
  {
    LoadBalancer balancer(endpoint.workers(), options());
    PublishOptions durable;
    durable.signal_at = SignalAt::durable;
    for (const char* text : {"first", "second", "third"}) {
      EXPECT_FALSE(balancer.publish_events(events({text, text}), ears.signal(), durable));
    }
    ASSERT_TRUE(ears.wait_for(3));
  }
  {
    std::fstream file(directory.path() / "queue" / "0000000001.seg", std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes(400, '\0');
    file.read(bytes.data(), 400);
    file.seekp(static_cast<std::streamoff>(bytes.find("second")));
    file.put('S');
  }
  endpoint.up(true);
  LoadBalancer balancer(endpoint.workers(), options());
  balancer.drain(test::patience);
  EXPECT_THAT(endpoint.got(), testing::UnorderedElementsAre("first", "first", "third", "third"));
  const Statistics statistics = balancer.statistics();
  EXPECT_EQ(statistics.ledger.dropped.at(errc::damaged), 2u);
  EXPECT_EQ(statistics.ledger.accepted, 6u);
  EXPECT_TRUE(statistics.ledger.balanced());
  EXPECT_EQ(statistics.disk->damage.size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "queue" / "0000000001.seg.damaged"));
}

TEST_P(OnDisk, IsOneBalancersAtATime) {
  const LoadBalancer balancer(endpoint.workers(), options());
  try {
    const LoadBalancer second(endpoint.workers(), options());
    FAIL() << "two balancers on one queue";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), errc::queue_in_use);
  }
}

TEST_P(OnDisk, ManyPublishersLoseNothing) {
  LoadBalancerOptions small = options();
  small.queue_events = 100;
  small.disk_queue->segment_size = 64 << 10;
  std::atomic<std::uint64_t> acked{0};
  {
    LoadBalancer balancer(endpoint.workers(), small);
    std::vector<std::thread> publishers;
    for (int thread = 0; thread < 4; ++thread) {
      publishers.emplace_back([&, thread] {
        for (int i = 0; i < 500; ++i) {
          PublishOptions at;
          at.signal_at = i % 3 == 0 ? SignalAt::durable : SignalAt::delivered;
          const std::string text = std::to_string(thread) + " " + std::to_string(i) + std::string(300, '.');
          const auto signal = [&](const Outcome& outcome) { acked += outcome.acked; };
          EXPECT_FALSE(balancer.publish_event(text, i % 2 == 0 ? Signal(signal) : Signal(), at));
        }
      });
    }
    for (std::thread& publisher : publishers) publisher.join();
    EXPECT_TRUE(balancer.drain(test::patience));
    EXPECT_EQ(balancer.statistics().disk->events, 0u);
  }
  EXPECT_EQ(acked, 1000u);
  const auto got = endpoint.got();
  EXPECT_EQ(got.size(), 2000u);
  EXPECT_EQ(std::set(got.begin(), got.end()).size(), 2000u);
}

TEST(OnDiskOptions, ThatMakeNoSenseAreRefused) {
  const test::TemporaryDirectory directory;
  Endpoint endpoint;
  LoadBalancerOptions options;
  options.disk_queue.emplace();
  EXPECT_THROW(LoadBalancer(endpoint.workers(), options), std::invalid_argument);
  options.disk_queue->path = directory.path() / "queue";
  options.disk_queue->max_size = 1000;
  EXPECT_THROW(LoadBalancer(endpoint.workers(), options), std::invalid_argument);
  options.disk_queue->max_size = 1 << 20;
  options.disk_queue->segment_size = 1 << 20;
  EXPECT_THROW(LoadBalancer(endpoint.workers(), options), std::invalid_argument);
  options.disk_queue->segment_size = 0;
  options.disk_queue->path = "/proc/nowhere";
  EXPECT_THROW(LoadBalancer(endpoint.workers(), options), std::system_error);
}

}  // namespace
}  // namespace windlass
