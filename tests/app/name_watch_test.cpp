#include "app/name_watch.h"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/run_until.h"

namespace windlass::app {
namespace {

using net::NameAnswer;
using net::NameQuestion;
using About = NameQuestion::About;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const char* const service = "_lumberjack._tcp.example.org";

Host host(const std::string& name, std::uint16_t port, unsigned priority = 0, unsigned weight = 1,
          const std::string& server_name = {}) {
  Host result(net::HostPort{name, port});
  result.priority = priority;
  result.weight = weight;
  result.server_name = server_name;
  return result;
}

net::ServiceTarget target(const char* name, std::uint16_t port, std::uint16_t priority = 0, std::uint16_t weight = 0) {
  return {{name, port}, priority, weight};
}

/// A watch whose questions this test answers. Time passes in milliseconds.
class NameWatchTest : public testing::Test {
 protected:
  void watch(std::vector<Host> hosts, NameWatch::Options options = {.interval = milliseconds(2)}) {
    names.emplace(
        context, resolver, options, [this] { ++changes; },
        [this](bool is_wrong, const std::string& line) { told.emplace_back((is_wrong ? "wrong: " : "") + line); });
    names->watch(std::move(hosts));
  }
  void answer(const NameQuestion& question, NameAnswer found) {
    const std::lock_guard lock(known->mutex);
    known->answers[question] = {{}, std::move(found)};
  }
  void answer(const NameQuestion& question, std::error_code error) {
    const std::lock_guard lock(known->mutex);
    known->answers[question] = {error, {}};
  }
  void offer(std::vector<net::ServiceTarget> targets) {
    answer({About::services, service}, {.addresses = {}, .targets = std::move(targets), .time_to_live = {}});
  }
  void find(const std::string& name, const char* literal) {
    answer({About::addresses, name},
           {.addresses = {*net::SocketAddress::from_literal(literal, 0)}, .targets = {}, .time_to_live = {}});
  }
  int questions(const NameQuestion& question) {
    const std::lock_guard lock(known->mutex);
    return known->asked[question];
  }
  template <class Condition>
  bool eventually(Condition condition) {
    return test::run_until(context, condition);
  }
  bool become(const std::vector<Host>& wanted) {
    return eventually([&] { return names->endpoints() == wanted; });
  }
  /// Some more lookups of the question have come to their ends.
  bool pass(const NameQuestion& question, int lookups = 3) {
    const int before = questions(question);
    return eventually([&] { return questions(question) > before + lookups; });
  }

  /// Shared with threads that may outlive the test.
  struct Known {
    std::mutex mutex;
    std::map<NameQuestion, std::pair<std::error_code, NameAnswer>> answers;
    std::map<NameQuestion, int> asked;
  };
  const std::shared_ptr<Known> known = std::make_shared<Known>();
  net::LookupThreads threads{[known = known](const NameQuestion& question, NameAnswer& found) -> std::error_code {
    const std::lock_guard lock(known->mutex);
    ++known->asked[question];
    const auto answer = known->answers.find(question);
    if (answer == known->answers.end()) return {EAI_NONAME, net::lookup_category()};
    found = answer->second.second;
    return answer->second.first;
  }};
  boost::asio::io_context context{1};
  net::Resolver resolver{context, threads};
  int changes = 0;
  std::vector<std::string> told;
  std::optional<NameWatch> names;
};

TEST_F(NameWatchTest, AServiceBecomesItsTargetsAsTheyChange) {
  offer({target("h1.example.org", 1)});
  watch({host(service, 0), host("127.0.0.9", 9)});
  EXPECT_THAT(names->endpoints(), ElementsAre(host("127.0.0.9", 9)));
  ASSERT_TRUE(become({host("h1.example.org", 1), host("127.0.0.9", 9)}));
  ASSERT_TRUE(pass({About::services, service}));
  EXPECT_EQ(changes, 1) << "the same again is no change";
  offer({target("h2.example.org", 2)});
  EXPECT_TRUE(become({host("h2.example.org", 2), host("127.0.0.9", 9)}));
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(NameWatchTest, PrioritiesAndWeightsOfRecordsComeOnTopOfTheServices) {
  const Host own = host(service, 0, 10, 3);
  EXPECT_THAT(
      NameWatch::targets_of(
          own, {target("h1", 1, 0, 0), target("h2", 2, 1, 1), target("h3", 3, 2, 65535), target("h4", 4, 65535, 1)},
          false),
      ElementsAre(host("h1", 1, 10, 3), host("h2", 2, 11, 3), host("h3", 3, 12, 3 * 65535), host("h4", 4, 65535, 3)));
}

TEST_F(NameWatchTest, WhatElseHoldsForAServiceHoldsForEachOfItsTargets) {
  Host own = host(service, 0);
  own.rate_limit = 100;
  for (const Host& each : NameWatch::targets_of(own, {target("h1", 1), target("h2", 2)}, false))
    EXPECT_EQ(each.rate_limit, 100);
}

TEST_F(NameWatchTest, WithTlsATargetElsewhereHasToBeOfTheServicesDomain) {
  const std::vector<net::ServiceTarget> targets{target("h1.example.org", 1), target("example.org", 2),
                                                target("h3.example.net", 3), target("h4.notexample.org", 4)};
  EXPECT_THAT(
      NameWatch::targets_of(host(service, 0), targets, true),
      ElementsAre(host("h1.example.org", 1), host("example.org", 2), host("h3.example.net", 3, 0, 1, "example.org"),
                  host("h4.notexample.org", 4, 0, 1, "example.org")));
  for (const Host& each : NameWatch::targets_of(host(service, 0), targets, false)) EXPECT_EQ(each.server_name, "");
}

TEST_F(NameWatchTest, EachAddressOfATargetIsAnEndpointWhereThatIsWanted) {
  offer({target("h1.example.org", 1, 5, 7), target("h2.example.net", 2)});
  find("h1.example.org", "127.0.0.1");
  find("h2.example.net", "127.0.0.2");
  watch({host(service, 0)}, {.each_address = true, .interval = milliseconds(2), .tls = true});
  ASSERT_TRUE(become({host("127.0.0.1", 1, 5, 7, "h1.example.org"), host("127.0.0.2", 2, 0, 1, "example.org")}));
  offer({target("h1.example.org", 1, 5, 7)});
  ASSERT_TRUE(become({host("127.0.0.1", 1, 5, 7, "h1.example.org")}));
  const int before = questions({About::addresses, "h2.example.net"});
  ASSERT_TRUE(pass({About::services, service}));
  EXPECT_LE(questions({About::addresses, "h2.example.net"}), before + 1) << "nobody wants to know it any more";
}

TEST_F(NameWatchTest, WhatWasKnownIsKeptWhileLookupsFailAndEachReasonIsToldOnce) {
  offer({target("h1.example.org", 1)});
  watch({host(service, 0)});
  ASSERT_TRUE(become({host("h1.example.org", 1)}));
  const NameQuestion question{About::services, service};
  for (const net::DnsError error : {net::DnsError::servers_failed, net::DnsError::no_such_name}) {
    answer(question, error);
    ASSERT_TRUE(pass(question));
    EXPECT_THAT(names->endpoints(), ElementsAre(host("h1.example.org", 1)));
  }
  EXPECT_THAT(told, ElementsAre("wrong: looking up _lumberjack._tcp.example.org: no DNS server has an answer; its "
                                "endpoints stay as they are",
                                "wrong: looking up _lumberjack._tcp.example.org: DNS has no such name; its endpoints "
                                "stay as they are"));
}

TEST_F(NameWatchTest, AServiceThatIsNotOfferedStandsForNothing) {
  offer({target("h1.example.org", 1)});
  watch({host(service, 0)});
  ASSERT_TRUE(become({host("h1.example.org", 1)}));
  answer({About::services, service}, net::DnsError::not_offered);
  ASSERT_TRUE(become({}));
  offer({target("h1.example.org", 1)});
  EXPECT_TRUE(become({host("h1.example.org", 1)}));
}

TEST_F(NameWatchTest, ThereIsALimitAndItIsToldOnce) {
  std::vector<net::ServiceTarget> many;
  for (std::uint16_t port = 1; port <= OutputConfig::max_hosts; ++port) many.push_back(target("h", port));
  offer(many);
  watch({host(service, 0), host("127.0.0.9", 9)});
  ASSERT_TRUE(eventually([&] { return names->endpoints().size() == OutputConfig::max_hosts; }));
  names->endpoints();
  EXPECT_THAT(told, ElementsAre("wrong: of 1025 endpoints 1024 are used, which is the limit"));
}

TEST_F(NameWatchTest, HostsThatAreNotWatchedAnyMoreAreForgotten) {
  offer({target("h1.example.org", 1)});
  watch({host(service, 0)});
  ASSERT_TRUE(become({host("h1.example.org", 1)}));
  names->watch({host("127.0.0.9", 9)});
  EXPECT_THAT(names->endpoints(), ElementsAre(host("127.0.0.9", 9)));
  names->watch({host(service, 0)});
  EXPECT_THAT(names->endpoints(), IsEmpty());
  EXPECT_TRUE(become({host("h1.example.org", 1)}));
}

TEST_F(NameWatchTest, ANameMayBeForgottenAtTheMomentInWhichItsTimeIsOver) {
  offer({target("h1.example.org", 1)});
  watch({host(service, 0)}, {.interval = std::chrono::nanoseconds(1)});
  ASSERT_TRUE(become({host("h1.example.org", 1)}));
  // Both timers are over, and this one comes first.
  boost::asio::steady_timer first(context, std::chrono::steady_clock::time_point::min());
  first.async_wait([&](boost::system::error_code) { names->watch({}); });
  context.poll();
  EXPECT_THAT(names->endpoints(), IsEmpty());
}

TEST_F(NameWatchTest, WithoutAnIntervalTheTimeToLiveIsAskedForAsWell) {
  answer({About::addresses_and_time, "pool"}, {.addresses = {*net::SocketAddress::from_literal("127.0.0.1", 0)},
                                               .targets = {},
                                               .time_to_live = std::chrono::seconds(0)});
  watch({host("pool", 5)}, {.each_address = true});
  ASSERT_TRUE(become({host("127.0.0.1", 5, 0, 1, "pool")}));
  EXPECT_EQ(questions({About::addresses_and_time, "pool"}), 1);
  EXPECT_TRUE(pass({About::addresses_and_time, "pool"}, 0)) << "after NameWatch::shortest";
}

TEST(NameWatchTimes, AnAnswerIsAskedForAgainWhenItIsOver) {
  using std::chrono::hours;
  using std::chrono::seconds;
  const auto wait = [](std::optional<seconds> time) { return NameWatch::wait_for(time); };
  EXPECT_EQ(wait(seconds(0)), NameWatch::shortest);
  EXPECT_EQ(wait(seconds(60)), seconds(60));
  EXPECT_EQ(wait(seconds(0x7fffffff)), NameWatch::longest);
  EXPECT_EQ(wait({}), NameWatch::usual);
}

}  // namespace
}  // namespace windlass::app
