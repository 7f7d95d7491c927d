// Everything at once: many publishers, clients that fail in every way, signals that publish again, and the end in the
// middle of it. Whatever happens, each accepted publish gets exactly one signal, and none after the end.

#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <windlass/windlass.h>

#include "base/random.h"
#include "clients.h"

namespace windlass {
namespace {

enum class End { close, close_from_many_threads, close_from_a_signal, drain, drain_and_close };
enum class Clients { sync, async };

/// Answers from a thread of its own, as clients with a library beneath do.
class AnsweringThread {
 public:
  AnsweringThread() : thread_([this] { run(); }) {}
  ~AnsweringThread() {
    answers_.put(std::nullopt);
    thread_.join();
  }
  void answer(Completion done, PublishResult result) { answers_.put(Answer{std::move(done), std::move(result)}); }

 private:
  struct Answer {
    Completion done;
    PublishResult result;
  };
  void run() {
    while (std::optional<Answer> answer = answers_.take()) {
      answer->done.progress(1);
      answer->done.finish(std::move(answer->result));
    }
  }

  test::Mailbox<std::optional<Answer>> answers_;
  std::thread thread_;
};

PublishResult random_result(base::Random& random, std::size_t size) {
  switch (random.below(12)) {
    case 0:
      return PublishResult::failed(errc::connection_lost);
    case 1:
      return PublishResult::failed(errc::temporary);
    case 2:
      return PublishResult::acked_first(static_cast<std::uint32_t>(random.below(size + 1)), errc::connection_lost);
    case 3:
      return PublishResult::returned({{static_cast<std::uint32_t>(random.below(size)), errc::temporary}});
    case 4:
      return PublishResult::returned({{static_cast<std::uint32_t>(random.below(size)), errc::rejected}});
    case 5:
      return PublishResult::throttled(1ms);
    default:
      return PublishResult::acked();
  }
}

SyncScript unreliable_sync_client(std::uint64_t seed) {
  const auto random = std::make_shared<base::Random>(seed);
  SyncScript script;
  script.connect = [random](auto) {
    if (random->chance(0.1)) throw std::runtime_error("connect");
    return random->chance(0.3) ? make_error_code(errc::connect_failed) : std::error_code();
  };
  script.publish = [random](const Batch& batch) {
    if (random->chance(0.05)) throw std::runtime_error("publish");
    return random_result(*random, batch.size());
  };
  return script;
}

AsyncScript unreliable_async_client(std::uint64_t seed, AnsweringThread& thread) {
  const auto random = std::make_shared<base::Random>(seed);
  const auto link = std::make_shared<Link>();
  AsyncScript script;
  script.connect = [random, link](Link now) {
    *link = std::move(now);
    if (random->chance(0.1)) throw std::runtime_error("connect");
    if (random->chance(0.3)) return link->lost(errc::connect_failed);
    link->connected();
  };
  script.publish = [random, link, &thread](const Batch& batch, Completion done) {
    if (random->chance(0.02)) throw std::runtime_error("publish");
    if (random->chance(0.02)) link->lost(errc::connection_lost);
    if (random->chance(0.02)) return;  // abandoned
    PublishResult result = random_result(*random, batch.size());
    if (random->chance(0.5)) {
      thread.answer(std::move(done), std::move(result));
    } else {
      done.finish(std::move(result));
    }
  };
  return script;
}

class EverythingAtOnce : public testing::TestWithParam<std::tuple<Clients, End>> {
 protected:
  static constexpr int publishers = 4;

  /// What happened to one publish.
  struct Told {
    std::atomic<bool> accepted{false};
    std::atomic<int> signals{0};
  };

  void publish_for_ever(int publisher) {
    base::Random random(static_cast<std::uint64_t>(publisher) + 100);
    while (true) {
      auto told = std::make_shared<Told>();
      const std::size_t count = random.chance(0.8) ? 1 : 1 + random.below(20);
      const Signal signal = signal_for(told, random.chance(0.3));
      const PublishOptions options{.guaranteed = random.chance(0.1)};
      std::error_code refusal;
      if (count == 1) {
        refusal = random.chance(0.5) ? balancer->publish_event("one", signal, options)
                                     : balancer->try_publish_event("one", signal, options);
      } else {
        refusal = random.chance(0.5) ? balancer->publish_events(numbered_events(count), signal, options)
                                     : balancer->try_publish_events(numbered_events(count), signal, options);
      }
      if (!refusal) {
        told->accepted = true;
        accepted_events += count;
        publishes.add();
      }
      const std::lock_guard lock(mutex);
      all.push_back(std::move(told));
      if (refusal == errc::closed) return;
      EXPECT_TRUE(!refusal || refusal == errc::queue_full) << refusal.message();
    }
  }

  Signal signal_for(const std::shared_ptr<Told>& told, bool publishes_again) {
    return [this, told, publishes_again](const Outcome&) {
      EXPECT_FALSE(ended) << "a signal after the end";
      ++told->signals;
      if (!publishes_again) return;
      auto again = std::make_shared<Told>();
      if (balancer->publish_event("again", signal_for(again, false))) return;
      again->accepted = true;
      ++accepted_events;
      const std::lock_guard lock(mutex);
      all.push_back(std::move(again));
    };
  }

  void end(End how) {
    switch (how) {
      case End::close:
        balancer->close();
        break;
      case End::close_from_many_threads: {
        std::vector<std::thread> closers;
        for (int i = 0; i < 3; ++i) closers.emplace_back([&] { balancer->close(); });
        for (std::thread& closer : closers) closer.join();
        break;
      }
      case End::close_from_a_signal: {
        test::Gate closed;
        const auto closing = [&](const Outcome&) {
          balancer->close();
          ended = true;
          closed.open();
        };
        EXPECT_FALSE(balancer->publish_event("the end", closing));
        ++accepted_events;
        EXPECT_TRUE(closed.wait());
        break;
      }
      case End::drain:
        EXPECT_TRUE(balancer->drain(test::patience));
        break;
      case End::drain_and_close: {
        std::thread drainer([&] { balancer->drain(test::patience); });
        balancer->close();
        drainer.join();
        break;
      }
    }
    ended = true;
  }

  std::mutex mutex;
  std::vector<std::shared_ptr<Told>> all;
  test::Count publishes;
  std::atomic<std::size_t> accepted_events{0};
  std::atomic<bool> ended{false};
  std::optional<LoadBalancer> balancer;
};

std::string name_of(const testing::TestParamInfo<std::tuple<Clients, End>>& info) {
  const auto [kind, how] = info.param;
  const char* const ends[] = {"Close", "CloseFromManyThreads", "CloseFromASignal", "Drain", "DrainAndClose"};
  return std::string(kind == Clients::sync ? "SyncClientsAnd" : "AsyncClientsAnd") + ends[static_cast<int>(how)];
}

INSTANTIATE_TEST_SUITE_P(With, EverythingAtOnce,
                         testing::Combine(testing::Values(Clients::sync, Clients::async),
                                          testing::Values(End::close, End::close_from_many_threads,
                                                          End::close_from_a_signal, End::drain, End::drain_and_close)),
                         name_of);

TEST_P(EverythingAtOnce, StillGivesExactlyOneSignalToEachAcceptedPublish) {
  const auto [kind, how] = GetParam();
  AnsweringThread answering;
  LoadBalancer::Options options;
  options.queue_events = 64;
  options.bulk_max_events = 8;
  options.max_retries = 2;
  options.seed = 1;
  if (kind == Clients::sync) {
    balancer.emplace(clients(std::vector{unreliable_sync_client(1), unreliable_sync_client(2), SyncScript()}), options);
  } else {
    balancer.emplace(clients(std::vector{unreliable_async_client(1, answering), unreliable_async_client(2, answering),
                                         AsyncScript()}),
                     options);
  }
  std::vector<std::thread> threads;
  for (int publisher = 0; publisher < publishers; ++publisher)
    threads.emplace_back([this, publisher] { publish_for_ever(publisher); });
  std::thread onlooker([&] {
    while (!ended) {
      EXPECT_TRUE(balancer->statistics().ledger.balanced());
      std::this_thread::yield();
    }
  });
  EXPECT_TRUE(publishes.wait_for(2000));
  end(how);
  for (std::thread& thread : threads) thread.join();
  onlooker.join();
  const Ledger ledger = balancer->statistics().ledger;
  balancer.reset();

  EXPECT_EQ(ledger.accepted, accepted_events);
  EXPECT_EQ(ledger.queued + ledger.in_flight, 0u);
  EXPECT_TRUE(ledger.balanced());
  for (const auto& told : all) ASSERT_EQ(told->signals, told->accepted ? 1 : 0);
}

}  // namespace
}  // namespace windlass
