#include "net/connector.h"

#include <arpa/inet.h>
#include <array>
#include <fcntl.h>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <windlass/error.h>

#include "peers.h"

namespace windlass::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// A plain socket, for what listeners and streams do not do.
class RawSocket {
 public:
  explicit RawSocket(int type_flags = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type_flags, 0)) {
    EXPECT_GE(fd_, 0);
  }
  ~RawSocket() { ::close(fd_); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  std::uint16_t bind_to(const char* address) {
    const auto wanted = SocketAddress::from_literal(address, 0);
    EXPECT_EQ(::bind(fd_, wanted->data(), wanted->size()), 0);
    sockaddr_in found{};
    socklen_t size = sizeof found;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&found), &size), 0);
    return ntohs(found.sin_port);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Swallows connects without an answer: its queue is full, so the kernel drops what comes.
class BlackHole {
 public:
  BlackHole() : port_(hole_.bind_to("127.0.0.1")) {
    EXPECT_EQ(::listen(hole_.fd(), 0), 0);
    const auto address = SocketAddress::from_literal("127.0.0.1", port_);
    for (const auto& filler : fillers_) ::connect(filler.fd(), address->data(), address->size());
    pollfd first{fillers_[0].fd(), POLLOUT, 0};
    EXPECT_EQ(::poll(&first, 1, 10'000), 1);
  }
  std::uint16_t port() const { return port_; }

 private:
  RawSocket hole_;
  std::array<RawSocket, 3> fillers_{RawSocket(SOCK_NONBLOCK), RawSocket(SOCK_NONBLOCK), RawSocket(SOCK_NONBLOCK)};
  std::uint16_t port_;
};

/// A port on 127.0.0.1 that refuses: bound, but nobody listens.
class RefusingPort {
 public:
  RefusingPort() : port_(socket_.bind_to("127.0.0.1")) {}
  std::uint16_t port() const { return port_; }

 private:
  RawSocket socket_;
  std::uint16_t port_;
};

NameLookup always(std::vector<std::string> literals) {
  return [literals = std::move(literals)](const NameQuestion&, NameAnswer& found) {
    for (const std::string& literal : literals) found.addresses.push_back(*SocketAddress::from_literal(literal, 0));
    return std::error_code();
  };
}

/// Writes down the steps.
struct Steps final : ConnectObserver {
  std::vector<std::string> told;
  void on_resolved(const std::vector<SocketAddress>& addresses) override {
    told.push_back("resolved " + std::to_string(addresses.size()));
  }
  void on_connected(const SocketAddress& address) override { told.push_back("connected " + to_string(address)); }
  void on_secured(const SocketAddress& address, const TlsInfo& tls) override {
    told.push_back("secured " + to_string(address) + " " + tls.version);
  }
  void on_address_failed(const SocketAddress&, std::string_view detail) override {
    told.push_back("failed: " + std::string(detail));
  }
};

class ConnectorTest : public testing::Test {
 protected:
  ConnectResult connect(Resolver& resolver, Connector::Options options, std::chrono::nanoseconds timeout) {
    options.observer = &steps;
    Connector connector(network.context, resolver, std::move(options));
    std::optional<ConnectResult> result;
    connector.connect(timeout, [&](std::error_code error, std::string detail, std::unique_ptr<Stream> stream) {
      result = ConnectResult{error, std::move(detail), std::move(stream)};
    });
    EXPECT_TRUE(connector.connecting());
    EXPECT_TRUE(network.run_until([&] { return result.has_value(); }));
    EXPECT_FALSE(connector.connecting());
    return result ? std::move(*result) : ConnectResult{};
  }
  static Connector::Options to(const std::string& host, std::uint16_t port) {
    Connector::Options options;
    options.to = {host, port};
    return options;
  }

  Network network;
  Steps steps;
};

TEST_F(ConnectorTest, GivesAStreamAndTellsOfItsSteps) {
  TlsPair tls;
  const auto listener = network.listen(tls.server);
  const std::string address = "127.0.0.1:" + std::to_string(listener->port());
  Connector::Options options = to("127.0.0.1", listener->port());
  options.tls = tls.client;
  const ConnectResult result = connect(network.resolver, options, Network::patience);
  EXPECT_FALSE(result.error) << result.detail;
  ASSERT_TRUE(result.stream);
  EXPECT_EQ(result.stream->peer_endpoint(), address);
  EXPECT_THAT(steps.told, ElementsAre("resolved 1", "connected " + address, "secured " + address + " TLSv1.3"));
}

TEST_F(ConnectorTest, SaysWhichAddressRefused) {
  const RefusingPort refusing;
  const ConnectResult result = connect(network.resolver, to("127.0.0.1", refusing.port()), Network::patience);
  EXPECT_EQ(result.error, std::errc::connection_refused);
  EXPECT_EQ(result.detail, "connecting 127.0.0.1:" + std::to_string(refusing.port()) + ": Connection refused");
  EXPECT_FALSE(result.stream);
}

TEST_F(ConnectorTest, SaysWhichNameIsUnknown) {
  LookupThreads threads([](const auto&, auto&) { return std::make_error_code(std::errc::host_unreachable); });
  Resolver resolver(network.context, threads);
  const ConnectResult result = connect(resolver, to("nowhere", 1), Network::patience);
  EXPECT_EQ(result.error, std::errc::host_unreachable);
  EXPECT_EQ(result.detail, "looking up nowhere: No route to host");
}

TEST_F(ConnectorTest, TriesEachAddressInTurn) {
  const RefusingPort refusing;
  Listener::Options at;
  at.at = {"127.0.0.2", refusing.port()};
  const auto listener = network.listen(at);
  LookupThreads threads(always({"127.0.0.1", "127.0.0.2"}));
  Resolver resolver(network.context, threads);
  const ConnectResult result = connect(resolver, to("both", refusing.port()), Network::patience);
  ASSERT_FALSE(result.error) << result.detail;
  const std::string port = std::to_string(refusing.port());
  EXPECT_EQ(result.stream->peer_endpoint(), "127.0.0.2:" + port);
  EXPECT_THAT(steps.told, ElementsAre("resolved 2", "failed: connecting 127.0.0.1:" + port + ": Connection refused",
                                      "connected 127.0.0.2:" + port));
}

TEST_F(ConnectorTest, TellsOfEveryAddressThatFailed) {
  const RefusingPort refusing;
  LookupThreads threads(always({"127.0.0.1", "127.0.0.2"}));
  Resolver resolver(network.context, threads);
  const ConnectResult result = connect(resolver, to("both", refusing.port()), Network::patience);
  const std::string port = std::to_string(refusing.port());
  EXPECT_EQ(result.detail, "connecting 127.0.0.1:" + port + ": Connection refused; connecting 127.0.0.2:" + port +
                               ": Connection refused");
}

TEST_F(ConnectorTest, AnAddressThatSwallowsPacketsDoesNotUseAllOfTheTime) {
  const BlackHole hole;
  Listener::Options at;
  at.at = {"127.0.0.2", hole.port()};
  const auto listener = network.listen(at);
  LookupThreads threads(always({"127.0.0.1", "127.0.0.2"}));
  Resolver resolver(network.context, threads);
  const ConnectResult result = connect(resolver, to("both", hole.port()), std::chrono::seconds(3));
  ASSERT_FALSE(result.error) << result.detail;
  EXPECT_EQ(result.stream->peer_endpoint(), "127.0.0.2:" + std::to_string(hole.port()));
  ASSERT_EQ(steps.told.size(), 3u);
  EXPECT_THAT(steps.told[1],
              StartsWith("failed: connecting 127.0.0.1:" + std::to_string(hole.port()) + ": no answer within 1."));
}

TEST_F(ConnectorTest, EndsWithItsTimeout) {
  const BlackHole hole;
  const ConnectResult result = connect(network.resolver, to("127.0.0.1", hole.port()), std::chrono::milliseconds(50));
  EXPECT_EQ(result.error, errc::timeout);
  EXPECT_THAT(result.detail, StartsWith("connecting 127.0.0.1:" + std::to_string(hole.port()) + ": no answer within "));
}

TEST_F(ConnectorTest, TheTimeoutHoldsForALookupThatHangs) {
  std::promise<void> end;
  LookupThreads threads([ended = end.get_future().share()](const auto&, auto&) {
    ended.wait();
    return std::error_code();
  });
  Resolver resolver(network.context, threads);
  const ConnectResult result = connect(resolver, to("hangs", 1), std::chrono::milliseconds(50));
  EXPECT_EQ(result.error, errc::timeout);
  EXPECT_EQ(result.detail, "looking up hangs: no answer within 0.05 s");
  end.set_value();
}

TEST_F(ConnectorTest, TheTimeoutHoldsForAHandshakeThatHangs) {
  TlsPair tls;
  const auto silent = network.listen();
  Connector::Options options = to("127.0.0.1", silent->port());
  options.tls = tls.client;
  const ConnectResult result = connect(network.resolver, options, std::chrono::milliseconds(50));
  EXPECT_EQ(result.error, errc::timeout);
  EXPECT_THAT(result.detail, StartsWith("TLS handshake with 127.0.0.1:"));
  EXPECT_THAT(result.detail, HasSubstr(": not finished within 0.0"));
}

TEST_F(ConnectorTest, ACancelledConnectCallsNobody) {
  TlsPair tls;
  const BlackHole hole;
  const auto silent = network.listen();
  const auto never = [](auto, auto, auto) { FAIL() << "it was cancelled"; };
  Connector connecting(network.context, network.resolver, to("127.0.0.1", hole.port()));
  connecting.connect(Network::patience, never);
  Connector::Options secure = to("127.0.0.1", silent->port());
  secure.tls = tls.client;
  Connector handshaking(network.context, network.resolver, secure);
  handshaking.connect(Network::patience, never);
  ASSERT_TRUE(network.run_until([&] { return !network.accepted.empty(); }));
  network.settle();
  connecting.cancel();
  connecting.cancel();
  handshaking.cancel();
  Connector at_once(network.context, network.resolver, to("127.0.0.1", silent->port()));
  at_once.connect(Network::patience, never);
  at_once.cancel();
  EXPECT_FALSE(at_once.connecting());
  silent->close();
  network.context.restart();
  network.context.run();  // returns: nothing is left to do
}

TEST_F(ConnectorTest, MayConnectAgainFromItsCallback) {
  const RefusingPort refusing;
  Connector connector(network.context, network.resolver, to("127.0.0.1", refusing.port()));
  int failures = 0;
  Connector::Callback again = [&](std::error_code error, auto, auto) {
    EXPECT_EQ(error, std::errc::connection_refused);
    if (++failures < 50) connector.connect(Network::patience, again);
  };
  connector.connect(Network::patience, again);
  EXPECT_TRUE(network.run_until([&] { return failures == 50; }));
  EXPECT_FALSE(connector.connecting());
}

TEST_F(ConnectorTest, MayBeDestroyedFromItsCallback) {
  TlsPair tls;
  const auto listener = network.listen(tls.server);
  Connector::Options options = to("127.0.0.1", listener->port());
  options.tls = tls.client;
  auto connector = std::make_unique<Connector>(network.context, network.resolver, options);
  std::unique_ptr<Stream> kept;
  connector->connect(Network::patience, [&](auto, auto, std::unique_ptr<Stream> stream) {
    connector.reset();
    kept = std::move(stream);
  });
  EXPECT_TRUE(network.run_until([&] { return kept != nullptr; }));
}

TEST_F(ConnectorTest, LooksUpAnewEachTime) {
  const auto first = network.listen();
  auto port = first->port();
  auto answers = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"127.0.0.1", "127.0.0.2"});
  LookupThreads threads([answers](const NameQuestion&, NameAnswer& found) {
    found.addresses.push_back(*SocketAddress::from_literal(answers->front(), 0));
    answers->erase(answers->begin());
    return std::error_code();
  });
  Resolver resolver(network.context, threads);
  Listener::Options at;
  at.at = {"127.0.0.2", port};
  const auto second = network.listen(at);
  EXPECT_EQ(connect(resolver, to("moves", port), Network::patience).stream->peer_endpoint(),
            "127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(connect(resolver, to("moves", port), Network::patience).stream->peer_endpoint(),
            "127.0.0.2:" + std::to_string(port));
}

}  // namespace
}  // namespace windlass::net
