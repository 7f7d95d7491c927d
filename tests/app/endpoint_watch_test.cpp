#include "app/endpoint_watch.h"

#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/balancing.h"
#include "app/config_reader.h"
#include "support/name_service.h"
#include "support/waiting.h"

namespace windlass::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// A balancer whose endpoints come from names. Nobody listens at their port, which changes nothing for the set.
class ResolvedNames : public testing::Test {
 protected:
  ResolvedNames()
      : config(
            read_config_text({}, "windlass.yml", {"lumberjack://pool.test:1,127.0.0.9:1?resolve_interval=100ms"}, {})) {
    config.output.resolve_interval = std::chrono::milliseconds(5);
  }
  ~ResolvedNames() override { test::set_address("pool.test", ""); }

  /// The addresses of endpoints that are in the set, or have left it.
  std::vector<std::string> endpoints(bool left = false) const {
    std::vector<std::string> result;
    for (const WorkerStatistics& worker : balancer->statistics().workers)
      if ((worker.state == WorkerState::left) == left) result.push_back(worker.endpoint);
    std::sort(result.begin(), result.end());
    return result;
  }
  bool become(const std::vector<std::string>& wanted) const {
    return test::eventually([&] { return endpoints() == wanted; });
  }
  void start() {
    watched.emplace(config.output, watch);
    balancer.emplace(watched->workers(), balancer_options(config));
    running.reset(new Hold{watched->start(*balancer)});
  }
  void TearDown() override { running.reset(); }

  struct Hold {
    EndpointWatch::Running it;
  };
  Config config;
  Watch watch;
  std::optional<EndpointWatch> watched;
  std::optional<LoadBalancer> balancer;
  std::unique_ptr<Hold> running;
};

TEST_F(ResolvedNames, EachAddressOfANameIsAnEndpointAndTheyJoinAndLeaveAsItChanges) {
  test::set_address("pool.test", "127.0.0.1 127.0.0.2");
  start();
  ASSERT_TRUE(become({"127.0.0.1:1", "127.0.0.2:1", "127.0.0.9:1"}));
  test::set_address("pool.test", "127.0.0.2 127.0.0.3");
  ASSERT_TRUE(become({"127.0.0.2:1", "127.0.0.3:1", "127.0.0.9:1"}));
  EXPECT_THAT(endpoints(true), ElementsAre("127.0.0.1:1"));
}

TEST_F(ResolvedNames, ANameThatIsNotFoundAnyMoreKeepsItsLastAddresses) {
  test::set_address("pool.test", "127.0.0.1");
  start();
  ASSERT_TRUE(become({"127.0.0.1:1", "127.0.0.9:1"}));
  test::set_address("pool.test", "");
  const int before = test::lookups("pool.test");
  ASSERT_TRUE(test::eventually([&] { return test::lookups("pool.test") > before + 3; }));
  EXPECT_THAT(endpoints(), ElementsAre("127.0.0.1:1", "127.0.0.9:1"));
  EXPECT_THAT(endpoints(true), IsEmpty());
}

TEST_F(ResolvedNames, ANameThatIsFoundOnlyLaterJoinsThen) {
  start();
  EXPECT_THAT(endpoints(), ElementsAre("127.0.0.9:1"));
  test::set_address("pool.test", "127.0.0.4");
  EXPECT_TRUE(become({"127.0.0.4:1", "127.0.0.9:1"}));
}

}  // namespace
}  // namespace windlass::app
