// Lumberjack over real sockets: lumberjack_workers against a peer that does what the test says.

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <windlass/windlass.h>

#include "clients.h"
#include "lumberjack_peer.h"
#include "support/certificates.h"
#include "support/name_service.h"

namespace windlass {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using Connection = LumberjackPeer::Connection;
using Events = LumberjackPeer::Events;

LumberjackOptions to(std::vector<std::string> hosts) {
  LumberjackOptions options;
  options.hosts.assign(hosts.begin(), hosts.end());
  options.wait_retry = 1ms;
  options.max_wait_retry = 10ms;
  return options;
}
LumberjackOptions to(const LumberjackPeer& peer) {
  return to(std::vector{peer.address()});
}

LoadBalancer::Options without_end() {
  LoadBalancer::Options options;
  options.max_retries = -1;
  return options;
}
LoadBalancer::Options with_one_attempt() {
  LoadBalancer::Options options;
  options.max_retries = 0;
  return options;
}

Events numbered(std::size_t first, std::size_t count) {
  Events texts;
  for (std::size_t number = first; number < first + count; ++number)
    texts.push_back("{\"number\":" + std::to_string(number) + "}");
  return texts;
}

/// What became of connections, for waiting.
class Connections {
 public:
  std::function<void(const ConnectionEvent&)> listener() {
    return [this](const ConnectionEvent& event) {
      if (!event.connected) lost.put(event);
    };
  }
  test::Mailbox<ConnectionEvent> lost;
};

// What is sent arrives.

class LumberjackCompression : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Level, LumberjackCompression, testing::Values(0, 1, 3, 9),
                         [](const auto& level) { return std::to_string(level.param); });

TEST_P(LumberjackCompression, DeliversEveryEventAsItIs) {
  LumberjackPeer peer;
  Ears ears;
  LumberjackOptions options = to(peer);
  options.compression_level = GetParam();
  LoadBalancer balancer(lumberjack_workers(options));
  const Events published = numbered(0, 5000);
  ASSERT_FALSE(balancer.publish_events(events(published), ears.signal()));
  ASSERT_TRUE(balancer.drain(test::patience));
  EXPECT_EQ(ears.outcome().acked, 5000u);
  EXPECT_EQ(peer.received(), published);
}

TEST(LumberjackClient, SendsBatchesThatAreLargerThanAWindowMayBeAsSeveral) {
  LumberjackPeer peer;
  Ears ears;
  LoadBalancer::Options options = with_one_attempt();
  options.bulk_max_events = 25'000;
  options.bulk_max_bytes = options.queue_bytes;
  LoadBalancer balancer(lumberjack_workers(to(peer)), options);
  const Events published = numbered(0, 25'000);
  ASSERT_FALSE(balancer.publish_events(events(published), ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 25'000u);
  EXPECT_EQ(peer.received(), published);
  EXPECT_THAT(peer.window_sizes(), ElementsAre(10'000, 10'000, 5'000));
  EXPECT_EQ(balancer.statistics().workers[0].batches, 1u);
}

TEST(LumberjackClient, SendsSeveralBatchesBeforeTheFirstIsAcknowledged) {
  test::Gate all_here;
  LumberjackPeer peer([&](Connection& connection, const Events& window) {
    // The acks are given only when three windows are here.
    if (connection.windows < 3) return;
    all_here.open();
    for (int i = 0; i < 3; ++i) connection.ack(static_cast<std::uint32_t>(window.size()));
  });
  Ears ears;
  LoadBalancer::Options options;
  options.pipelining = 3;
  options.fixed_windows = true;
  options.bulk_max_events = 10;
  LoadBalancer balancer(lumberjack_workers(to(peer)), options);
  ASSERT_FALSE(balancer.publish_events(events(numbered(0, 30)), ears.signal()));
  ASSERT_TRUE(all_here.wait());
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 30u);
}

TEST(LumberjackClient, SharesTheWorkBetweenConnectionsAndHosts) {
  LumberjackPeer first;
  LumberjackPeer second;
  LumberjackOptions options = to({first.address(), second.address()});
  options.workers = 2;
  LoadBalancer::Options small_batches;
  small_batches.bulk_max_events = 1;
  LoadBalancer balancer(lumberjack_workers(options), small_batches);
  EXPECT_EQ(balancer.statistics().workers.size(), 4u);
  ASSERT_TRUE(first.connections().wait_for(2));
  ASSERT_TRUE(second.connections().wait_for(2));
  while (first.windows().value() == 0 || second.windows().value() == 0)
    ASSERT_FALSE(balancer.publish_events(events(numbered(0, 8))));
  EXPECT_TRUE(balancer.drain(test::patience));
}

// Partial acks, and peers that get nowhere.

TEST(LumberjackClient, SendsOnlyTheRestAgainWhenThePeerClosesAfterAPartialAck) {
  LumberjackPeer peer([](Connection& connection, const Events& window) {
    if (connection.number > 0) return LumberjackPeer::acknowledge(connection, window);
    connection.ack(40);
    connection.close();
  });
  Ears ears;
  LoadBalancer balancer(lumberjack_workers(to(peer)), with_one_attempt());
  const Events published = numbered(0, 100);
  ASSERT_FALSE(balancer.publish_events(events(published), ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 100u) << "progress gives the attempts back";
  EXPECT_THAT(peer.window_sizes(), ElementsAre(100, 60));
  EXPECT_EQ(peer.received()[100], published[40]);
}

TEST(LumberjackClient, ResumesInsideABatchThatTookSeveralWindows) {
  LumberjackPeer peer([](Connection& connection, const Events& window) {
    if (connection.number > 0 || connection.windows == 1) return LumberjackPeer::acknowledge(connection, window);
    connection.ack(1);
    connection.reset();
  });
  Ears ears;
  LoadBalancer::Options options = without_end();
  options.bulk_max_events = 20'000;
  options.bulk_max_bytes = options.queue_bytes;
  LoadBalancer balancer(lumberjack_workers(to(peer)), options);
  const Events published = numbered(0, 20'000);
  ASSERT_FALSE(balancer.publish_events(events(published), ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 20'000u);
  // A reset may swallow acks that were on their way, but then no more than them.
  const Events received = peer.received();
  ASSERT_GE(received.size(), 29'999u - 1);
  EXPECT_EQ(received.back(), published.back());
}

TEST(LumberjackClient, LeavesAPeerThatOnlyKeepsTheConnectionAlive) {
  LumberjackPeer peer([](Connection& connection, const Events& window) {
    if (connection.number > 0) return LumberjackPeer::acknowledge(connection, window);
    connection.keep_alive();
  });
  Ears ears;
  Connections connections;
  LoadBalancer::Options options = without_end();
  options.timeout = 1min;
  options.progress_timeout = 100ms;
  options.on_connection = connections.listener();
  LoadBalancer balancer(lumberjack_workers(to(peer)), options);
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  ASSERT_TRUE(peer.windows().wait_for(1));
  while (connections.lost.size() == 0) {
    peer.for_each([](Connection& connection) {
      if (connection.number == 0) connection.keep_alive();
    });
    std::this_thread::yield();
  }
  EXPECT_EQ(connections.lost.take().error, errc::no_progress);
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
  EXPECT_EQ(peer.connections().value(), 2u);
}

TEST(LumberjackClient, LeavesAPeerThatSaysNothing) {
  LumberjackPeer peer([](Connection& connection, const Events& window) {
    if (connection.number > 0) LumberjackPeer::acknowledge(connection, window);
  });
  Ears ears;
  Connections connections;
  LoadBalancer::Options options = without_end();
  options.timeout = 200ms;
  options.on_connection = connections.listener();
  LoadBalancer balancer(lumberjack_workers(to(peer)), options);
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  EXPECT_EQ(connections.lost.take().error, errc::timeout);
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
}

TEST(LumberjackClient, EndsAConnectionWhosePeerBreaksTheProtocolAndSaysHow) {
  using namespace std::string_view_literals;
  LumberjackPeer peer([](Connection& connection, const Events& window) {
    if (connection.number > 0) return LumberjackPeer::acknowledge(connection, window);
    connection.say("2A\x00\x00\x00\x09"sv);
  });
  Ears ears;
  Connections connections;
  LoadBalancer::Options options = without_end();
  options.on_connection = connections.listener();
  LoadBalancer balancer(lumberjack_workers(to(peer)), options);
  ASSERT_FALSE(balancer.publish_events(events(numbered(0, 2)), ears.signal()));
  const ConnectionEvent lost = connections.lost.take();
  EXPECT_EQ(lost.error, errc::protocol_error);
  EXPECT_THAT(lost.detail, AllOf(HasSubstr(peer.address()), HasSubstr("an ack of 9 in a window of 2")));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 2u);
}

// Peers that go, and come back.

TEST(LumberjackClient, ReconnectsWithoutSpendingAnAttemptWhenThePeerClosesAnIdleConnection) {
  LumberjackPeer peer;
  Ears ears;
  LoadBalancer balancer(lumberjack_workers(to(peer)), with_one_attempt());
  for (std::size_t round = 1; round <= 5; ++round) {
    ASSERT_TRUE(peer.connections().wait_for(round));
    ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
    ASSERT_TRUE(ears.wait_for(round));
    EXPECT_FALSE(ears.outcome(round - 1).reason);
    peer.close_connections();
  }
  ASSERT_TRUE(peer.connections().wait_for(6));
  EXPECT_EQ(balancer.statistics().ledger.acked, 5u);
  EXPECT_EQ(balancer.statistics().workers[0].failed_attempts, 0u);
}

TEST(LumberjackClient, DeliversToAServerThatWasGoneAndIsBack) {
  Ears ears;
  auto peer = std::make_unique<LumberjackPeer>();
  const std::uint16_t port = peer->port();
  Connections connections;
  LoadBalancer::Options options = without_end();
  options.on_connection = connections.listener();
  LoadBalancer balancer(lumberjack_workers(to(*peer)), options);
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  peer.reset();
  ConnectionEvent event = connections.lost.take();
  while (event.error != std::errc::connection_refused) event = connections.lost.take();
  EXPECT_THAT(event.detail, AllOf(HasSubstr("connecting 127.0.0.1:"), HasSubstr("Connection refused")));
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  LumberjackPeer::Options at_the_same_place;
  at_the_same_place.port = port;
  LumberjackPeer back(at_the_same_place);
  ASSERT_TRUE(ears.wait_for(2));
  EXPECT_EQ(back.received().size(), 1u);
}

TEST(LumberjackClient, SendsWhatWasInFlightElsewhereWhenAServerDies) {
  LumberjackPeer healthy;
  auto dying = std::make_unique<LumberjackPeer>([](Connection&, const Events&) {});
  Ears ears;
  LoadBalancer::Options options;
  options.bulk_max_events = 1;
  options.max_retries = 1;
  LoadBalancer balancer(lumberjack_workers(to({healthy.address(), dying->address()})), options);
  std::size_t published = 0;
  while (dying->windows().value() == 0) {
    ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
    ++published;
  }
  dying.reset();
  ASSERT_TRUE(ears.wait_for(published));
  EXPECT_EQ(balancer.statistics().ledger.acked, published);
}

TEST(LumberjackClient, LooksItsNameUpAgainAtEachConnect) {
  LumberjackPeer first;
  LumberjackPeer::Options elsewhere;
  elsewhere.host = "127.0.0.2";
  elsewhere.port = first.port();
  std::optional<LumberjackPeer> second;
  try {
    second.emplace(elsewhere);
  } catch (const std::system_error& error) {
    GTEST_SKIP() << "this machine has no second address on loopback: " << error.what();
  }
  const std::string name = "moving.test";
  test::set_address(name, "127.0.0.1");
  Ears ears;
  LoadBalancer balancer(lumberjack_workers(to({name + ":" + std::to_string(first.port())})), without_end());
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(first.received().size(), 1u);
  test::set_address(name, "127.0.0.2");
  first.close_connections();
  ASSERT_TRUE(second->connections().wait_for(1));
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  ASSERT_TRUE(ears.wait_for(2));
  EXPECT_EQ(second->received().size(), 1u);
  EXPECT_GE(test::lookups(name), 2);
}

TEST(LumberjackClient, WaitsForANameThatIsNotKnownYet) {
  LumberjackPeer peer;
  const std::string name = "future.test";
  test::set_address(name, "");
  Ears ears;
  Connections connections;
  LoadBalancer::Options options = without_end();
  options.on_connection = connections.listener();
  LoadBalancer balancer(lumberjack_workers(to({name + ":" + std::to_string(peer.port())})), options);
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  EXPECT_THAT(connections.lost.take().detail, HasSubstr("looking up future.test"));
  test::set_address(name, "127.0.0.1");
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(peer.received().size(), 1u);
}

TEST(LumberjackClient, RenewsItsConnectionAfterTheTtlWithoutSpendingAnAttempt) {
  LumberjackPeer peer;
  Ears ears;
  LumberjackOptions options = to(peer);
  options.ttl = 1ms;
  LoadBalancer balancer(lumberjack_workers(options), with_one_attempt());
  std::size_t published = 0;
  while (peer.connections().value() < 5) {
    ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
    ++published;
    ASSERT_TRUE(ears.wait_for(published));
  }
  EXPECT_EQ(balancer.statistics().ledger.acked, published);
}

TEST(LumberjackClient, SpeaksOverIpv6) {
  LumberjackPeer::Options options;
  options.host = "::1";
  std::optional<LumberjackPeer> peer;
  try {
    peer.emplace(options);
  } catch (const std::system_error& error) {
    GTEST_SKIP() << "this machine has no IPv6: " << error.what();
  }
  Ears ears;
  LoadBalancer balancer(lumberjack_workers(to({"[::1]:" + std::to_string(peer->port())})));
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
  EXPECT_EQ(balancer.statistics().workers[0].endpoint, peer->address());
}

TEST(LumberjackClient, IsLeftAtOnceByClose) {
  LumberjackPeer peer([](Connection&, const Events&) {});
  Ears ears;
  LoadBalancer balancer(lumberjack_workers(to(peer)));
  ASSERT_FALSE(balancer.publish_events(events(numbered(0, 10'000)), ears.signal()));
  ASSERT_TRUE(peer.windows().wait_for(1));
  balancer.close();
  EXPECT_EQ(ears.outcome().reason, errc::closed);
  ASSERT_TRUE(peer.ends().wait_for(1));
}

// One host at a time.

TEST(LumberjackFailover, UsesOneHostAndMovesOnWhenItDies) {
  std::vector<std::unique_ptr<LumberjackPeer>> peers;
  std::vector<std::string> hosts;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<LumberjackPeer>());
    hosts.push_back(peers.back()->address());
  }
  LumberjackOptions options = to(hosts);
  options.loadbalance = false;
  Ears ears;
  LoadBalancer balancer(lumberjack_workers(options), without_end());
  std::size_t published = 0;
  const auto publish_some = [&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_FALSE(balancer.publish_event("{}", ears.signal()));
      ++published;
    }
    EXPECT_TRUE(ears.wait_for(published));
  };
  const auto in_use = [&](std::size_t windows_before) {
    return std::find_if(peers.begin(), peers.end(),
                        [&](const auto& peer) { return peer && peer->windows().value() > windows_before; });
  };
  publish_some();
  const auto first = in_use(0);
  ASSERT_NE(first, peers.end());
  for (auto peer = peers.begin(); peer != peers.end(); ++peer)
    EXPECT_EQ((*peer)->connections().value(), peer == first ? 1u : 0u) << "a reserve is not even connected";
  first->reset();
  publish_some();
  const auto second = in_use(0);
  ASSERT_NE(second, peers.end());
  EXPECT_EQ(balancer.statistics().ledger.acked, published);
}

// TLS.

class LumberjackTls : public testing::Test {
 protected:
  LumberjackPeer::Options server(ClientAuthentication client_authentication) {
    const test::Identity identity = authority.issue();
    TlsOptions tls;
    tls.certificate = identity.certificate;
    tls.key = identity.key;
    tls.certificate_authorities = {authority.certificate()};
    tls.client_authentication = client_authentication;
    LumberjackPeer::Options options;
    options.tls = net::TlsContext::server(tls);
    return options;
  }
  TlsOptions trusting() const {
    TlsOptions tls;
    tls.certificate_authorities = {authority.certificate()};
    return tls;
  }
  TlsOptions with_certificate() const {
    const test::Identity identity = authority.issue();
    TlsOptions tls = trusting();
    tls.certificate = identity.certificate;
    tls.key = identity.key;
    return tls;
  }
  static LumberjackOptions to_localhost(const LumberjackPeer& peer, TlsOptions tls) {
    LumberjackOptions options = to({"localhost:" + std::to_string(peer.port())});
    options.tls = std::move(tls);
    return options;
  }

  test::CertificateAuthority authority;
  Ears ears;
  Connections connections;
};

TEST_F(LumberjackTls, DeliversOverAnEncryptedConnection) {
  LumberjackPeer peer(server(ClientAuthentication::none));
  LoadBalancer balancer(lumberjack_workers(to_localhost(peer, trusting())));
  const Events published = numbered(0, 20'000);
  ASSERT_FALSE(balancer.publish_events(events(published), ears.signal()));
  ASSERT_TRUE(balancer.drain(test::patience));
  EXPECT_EQ(ears.outcome().acked, 20'000u);
  EXPECT_EQ(peer.received(), published);
}

TEST_F(LumberjackTls, ShowsItsCertificateToAServerThatAsksForIt) {
  LumberjackPeer peer(server(ClientAuthentication::required));
  LoadBalancer balancer(lumberjack_workers(to_localhost(peer, with_certificate())));
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  ASSERT_TRUE(ears.wait_for(1));
  EXPECT_EQ(ears.outcome().acked, 1u);
}

TEST_F(LumberjackTls, IsRefusedWithoutTheCertificateThatTheServerAsksFor) {
  LumberjackPeer peer(server(ClientAuthentication::required));
  LoadBalancer::Options options = without_end();
  options.on_connection = connections.listener();
  LoadBalancer balancer(lumberjack_workers(to_localhost(peer, trusting())), options);
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  connections.lost.take();
  ASSERT_TRUE(peer.refusals().wait_for(1));
  balancer.close();
  EXPECT_EQ(ears.outcome().reason, errc::closed);
  EXPECT_EQ(peer.received().size(), 0u);
}

TEST_F(LumberjackTls, DoesNotTalkToAServerThatItDoesNotTrust) {
  LumberjackPeer peer(server(ClientAuthentication::none));
  TlsOptions trusting_others;
  trusting_others.certificate_authorities = {test::CertificateAuthority("Others").certificate()};
  LoadBalancer::Options options = without_end();
  options.on_connection = connections.listener();
  LoadBalancer balancer(lumberjack_workers(to_localhost(peer, trusting_others)), options);
  ASSERT_FALSE(balancer.publish_event("{}", ears.signal()));
  EXPECT_THAT(connections.lost.take().detail, AllOf(HasSubstr("TLS handshake"), HasSubstr("certificate")));
  balancer.close();
  EXPECT_EQ(peer.received().size(), 0u);
}

// Configuration.

TEST(LumberjackWorkers, AreNamedByHostAndPort) {
  LumberjackOptions options = to({"127.0.0.1", "[::1]:7"});
  options.workers = 2;
  LoadBalancer balancer(lumberjack_workers(options));
  std::vector<std::string> endpoints;
  for (const WorkerStatistics& worker : balancer.statistics().workers) endpoints.push_back(worker.endpoint);
  EXPECT_THAT(endpoints, ElementsAre("127.0.0.1:5044", "127.0.0.1:5044", "[::1]:7", "[::1]:7"));
}

TEST(LumberjackWorkers, AreRefusedWhenTheyCannotBe) {
  EXPECT_THROW(LoadBalancer(lumberjack_workers(to(std::vector<std::string>()))), std::system_error);
  EXPECT_THROW(LoadBalancer(lumberjack_workers(to({"no port:5044x"}))), std::invalid_argument);
  for (const int level : {-1, 10}) {
    LumberjackOptions options = to({"localhost"});
    options.compression_level = level;
    EXPECT_THROW(LoadBalancer{lumberjack_workers(options)}, std::invalid_argument);
  }
  LumberjackOptions options = to({"localhost"});
  options.tls.emplace().certificate_authorities = {"/nowhere/ca.pem"};
  try {
    LoadBalancer balancer(lumberjack_workers(options));
    FAIL() << "made a balancer without its authorities";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/ca.pem"));
  }
}

}  // namespace
}  // namespace windlass
