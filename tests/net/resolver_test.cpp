#include "net/resolver.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/run_until.h"

namespace windlass::net {
namespace {

/// A name service whose answers come when the test lets them. Shared with threads that may outlive everything else.
class HangingNames {
 public:
  NameLookup look_up() {
    return [state = state_](const NameQuestion& question, NameAnswer& found) -> std::error_code {
      const std::string& host = question.name;
      std::unique_lock lock(state->mutex);
      state->asked.push_back(host);
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->all_released || state->released.contains(host); });
      ++state->answered;
      state->changed.notify_all();
      if (host == "missing") return {EAI_NONAME, lookup_category()};
      found.addresses = {*SocketAddress::from_literal("127.0.0.1", 0), *SocketAddress::from_literal("::1", 0)};
      return {};
    };
  }

  ~HangingNames() { release_all(); }

  void release(const std::string& host) {
    const std::lock_guard lock(state_->mutex);
    state_->released.insert(host);
    state_->changed.notify_all();
  }
  void release_all() {
    const std::lock_guard lock(state_->mutex);
    state_->all_released = true;
    state_->changed.notify_all();
  }
  std::vector<std::string> wait_until_asked(std::size_t times) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->asked.size() >= times; });
    return state_->asked;
  }
  void wait_until_answered(std::size_t times) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->answered >= times; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> asked;
    std::set<std::string> released;
    bool all_released = false;
    std::size_t answered = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct Answer {
  std::error_code error;
  std::vector<SocketAddress> addresses;
};

Resolver::Callback into(std::optional<Answer>& answer) {
  return [&answer](std::error_code error, const std::vector<SocketAddress>& addresses) {
    answer = Answer{error, addresses};
  };
}

class ResolverTest : public testing::Test {
 protected:
  bool run_until_answered(const std::optional<Answer>& answer) {
    return test::run_until(context, [&] { return answer.has_value(); });
  }

  HangingNames names;
  boost::asio::io_context context{1};
};

TEST_F(ResolverTest, AnswersALiteralWithoutAsking) {
  LookupThreads threads(names.look_up());
  Resolver resolver(context, threads);
  std::optional<Answer> answer;
  const auto lookup = resolver.look_up({"::1", 5044}, into(answer));
  EXPECT_FALSE(answer) << "callbacks come from the loop";
  ASSERT_TRUE(run_until_answered(answer));
  ASSERT_EQ(answer->addresses.size(), 1u);
  EXPECT_EQ(to_string(answer->addresses[0]), "[::1]:5044");
}

TEST_F(ResolverTest, FindsTheLoopbackByItsName) {
  Resolver resolver(context);
  std::optional<Answer> answer;
  const auto lookup = resolver.look_up({"localhost", 5044}, into(answer));
  ASSERT_TRUE(run_until_answered(answer));
  EXPECT_FALSE(answer->error) << answer->error.message();
  ASSERT_FALSE(answer->addresses.empty());
  EXPECT_EQ(answer->addresses[0].port(), 5044);
}

TEST_F(ResolverTest, GivesAllAddressesInOrderWithTheWantedPort) {
  LookupThreads threads(names.look_up());
  Resolver resolver(context, threads);
  std::optional<Answer> answer;
  const auto lookup = resolver.look_up({"both", 7}, into(answer));
  names.release("both");
  ASSERT_TRUE(run_until_answered(answer));
  ASSERT_EQ(answer->addresses.size(), 2u);
  EXPECT_EQ(to_string(answer->addresses[0]), "127.0.0.1:7");
  EXPECT_EQ(to_string(answer->addresses[1]), "[::1]:7");
}

TEST_F(ResolverTest, PassesOnWhyANameIsNotFound) {
  LookupThreads threads(names.look_up());
  Resolver resolver(context, threads);
  names.release_all();
  for (const char* host : {"missing", ""}) {
    std::optional<Answer> answer;
    const auto lookup = resolver.look_up({host, 1}, into(answer));
    ASSERT_TRUE(run_until_answered(answer));
    EXPECT_EQ(answer->error, std::error_code(EAI_NONAME, lookup_category()));
    EXPECT_EQ(answer->error.message(), gai_strerror(EAI_NONAME));
  }
}

TEST_F(ResolverTest, NobodyWaitsForAnAbandonedLookup) {
  {
    auto own_context = std::make_unique<boost::asio::io_context>(1);
    LookupThreads threads(names.look_up());
    auto resolver = std::make_unique<Resolver>(*own_context, threads);
    auto lookup = resolver->look_up({"hangs", 1}, [](auto, const auto&) { FAIL() << "it was abandoned"; });
    names.wait_until_asked(1);
    lookup.abandon();
    own_context->run();  // returns: nothing is left to do
  }
  // The thread comes back to find resolver and loop gone.
  names.release_all();
  names.wait_until_answered(1);
}

TEST_F(ResolverTest, ADestroyedResolverAbandonsWhatIsUnderWay) {
  LookupThreads threads(names.look_up());
  Resolver::Lookup hanging, answered;
  {
    Resolver resolver(context, threads);
    hanging = resolver.look_up({"hangs", 1}, [](auto, const auto&) { FAIL() << "it was abandoned"; });
    answered = resolver.look_up({"127.0.0.1", 1}, [](auto, const auto&) { FAIL() << "it was abandoned"; });
    names.wait_until_asked(1);
  }
  names.release_all();
  names.wait_until_answered(1);
  context.run();
}

TEST_F(ResolverTest, OverlappingLookupsOfOneNameShareOneQuestion) {
  LookupThreads threads(names.look_up(), {.max_threads = 8});
  Resolver resolver(context, threads);
  std::vector<std::optional<Answer>> answers(100);
  std::vector<Resolver::Lookup> lookups;
  auto abandoned = resolver.look_up({"same", 9}, [](auto, const auto&) { FAIL() << "it was abandoned"; });
  names.wait_until_asked(1);
  abandoned.abandon();
  for (auto& answer : answers) lookups.push_back(resolver.look_up({"same", 9}, into(answer)));
  names.release("same");
  for (const auto& answer : answers) ASSERT_TRUE(run_until_answered(answer));
  EXPECT_EQ(names.wait_until_asked(1).size(), 1u);
}

TEST_F(ResolverTest, BoundsItsThreadsAndItsQueue) {
  LookupThreads threads(names.look_up(), {.max_threads = 2, .max_lookups = 4});
  Resolver resolver(context, threads);
  std::optional<Answer> first, second, third, fifth;
  const auto one = resolver.look_up({"first", 1}, into(first));
  const auto two = resolver.look_up({"second", 1}, into(second));
  const auto three = resolver.look_up({"third", 1}, into(third));
  auto four = resolver.look_up({"fourth", 1}, [](auto, const auto&) { FAIL() << "it was abandoned"; });
  const auto five = resolver.look_up({"fifth", 1}, into(fifth));
  ASSERT_TRUE(run_until_answered(fifth));
  EXPECT_EQ(fifth->error, std::errc::resource_unavailable_try_again);
  names.wait_until_asked(2);

  four.abandon();
  names.release("first");
  names.release("third");
  ASSERT_TRUE(run_until_answered(third)) << "it runs in the thread of the first";
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  names.release_all();
  ASSERT_TRUE(run_until_answered(second));
  EXPECT_EQ(names.wait_until_asked(3).size(), 3u) << "the fourth was abandoned before its turn";
}

TEST_F(ResolverTest, ACallbackMayDestroyEverything) {
  LookupThreads threads(names.look_up());
  auto resolver = std::make_unique<Resolver>(context, threads);
  Resolver::Lookup lookup;
  bool called = false;
  lookup = resolver->look_up({"name", 1}, [&](auto, const auto&) {
    lookup.abandon();
    resolver.reset();
    called = true;
  });
  names.release_all();
  EXPECT_TRUE(test::run_until(context, [&] { return called; }));
}

}  // namespace
}  // namespace windlass::net
