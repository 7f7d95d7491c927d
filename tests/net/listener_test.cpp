#include "net/listener.h"

#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <windlass/error.h>

#include "peers.h"

namespace windlass::net {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ListenerTest : public testing::Test {
 protected:
  std::unique_ptr<Stream> connect(const Listener& listener) {
    Connector::Options options;
    options.to = {"127.0.0.1", listener.port()};
    ConnectResult result = network.connect(options);
    EXPECT_FALSE(result.error) << result.detail;
    return std::move(result.stream);
  }
  bool run_until_accepted(std::size_t count) {
    return network.run_until([&] { return network.accepted.size() == count; });
  }
  static Listener::Options on_loopback() {
    Listener::Options options;
    options.at = {"127.0.0.1", 0};
    return options;
  }

  Network network;
};

TEST_F(ListenerTest, FindsAFreePortAndTellsIt) {
  const auto first = network.listen();
  const auto second = network.listen();
  EXPECT_NE(first->port(), 0);
  EXPECT_NE(first->port(), second->port());
  EXPECT_EQ(to_string(first->local()), "127.0.0.1:" + std::to_string(first->port()));
}

TEST_F(ListenerTest, ListensOnANameAndOnEveryAddress) {
  for (const char* host : {"localhost", ""}) {
    Listener::Options options;
    options.at.host = host;
    const auto listener = network.listen(options);
    Connector::Options to;
    to.to = {"localhost", listener->port()};
    EXPECT_FALSE(network.connect(to).error) << host;
  }
}

TEST_F(ListenerTest, ListensOnIpv6) {
  Listener::Options options;
  options.at = {"::1", 0};
  std::unique_ptr<Listener> listener;
  try {
    listener = network.listen(options);
  } catch (const std::system_error& error) {
    GTEST_SKIP() << "no IPv6 here: " << error.what();
  }
  Connector::Options to;
  to.to = {"::1", listener->port()};
  const ConnectResult result = network.connect(to);
  ASSERT_FALSE(result.error) << result.detail;
  EXPECT_EQ(result.stream->peer_endpoint(), "[::1]:" + std::to_string(listener->port()));
  ASSERT_TRUE(run_until_accepted(1));
  EXPECT_THAT(network.accepted.front()->peer_endpoint(), StartsWith("[::1]:"));
}

TEST_F(ListenerTest, NamesTheAddressThatItCannotHave) {
  const auto first = network.listen();
  Listener::Options options = on_loopback();
  options.at.port = first->port();
  try {
    network.listen(options);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_EQ(error.what(), "listening on 127.0.0.1:" + std::to_string(first->port()) + ": Address already in use");
  }
  options.at = {"192.0.2.1", 1};
  EXPECT_THROW(network.listen(options), std::system_error);
}

TEST_F(ListenerTest, HoldsFurtherConnectionsBackUntilOneCloses) {
  Listener::Options options = on_loopback();
  options.max_connections = 2;
  const auto listener = network.listen(options);
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connect(*listener));
  network.settle();
  EXPECT_EQ(network.accepted.size(), 2u);
  network.accepted[0]->close();
  ASSERT_TRUE(run_until_accepted(3));
}

TEST_F(ListenerTest, CountsAConnectionThatThePeerClosed) {
  Listener::Options options = on_loopback();
  options.max_connections = 1;
  const auto listener = network.listen(options);
  for (std::size_t i = 1; i <= 5; ++i) {
    const auto client = connect(*listener);
    ASSERT_TRUE(run_until_accepted(i));
    Recorder recorder;
    network.accepted.back()->start(recorder);
    client->close();
    ASSERT_TRUE(network.run_until([&] { return !recorder.closed.empty(); }));
  }
}

TEST_F(ListenerTest, ASilentPeerLosesItsHandshakeAndItsPlace) {
  TlsPair tls;
  Listener::Options options = on_loopback();
  options.tls = tls.server;
  options.handshake_timeout = std::chrono::milliseconds(50);
  options.max_handshakes = 1;
  const auto listener = network.listen(options);
  const auto silent = connect(*listener);
  Connector::Options to;
  to.to = {"127.0.0.1", listener->port()};
  to.tls = tls.client;
  const ConnectResult result = network.connect(to);
  EXPECT_FALSE(result.error) << result.detail;
  ASSERT_EQ(network.failures.size(), 1u);
  EXPECT_EQ(network.failures[0].error, errc::timeout);
  EXPECT_EQ(network.failures[0].detail,
            "TLS handshake with " + silent->local_endpoint() + ": not finished within 0.05 s");
}

TEST_F(ListenerTest, APeerThatSpeaksSomethingElseIsReported) {
  TlsPair tls;
  const auto listener = network.listen(tls.server);
  const auto client = connect(*listener);
  Recorder recorder;
  client->start(recorder);
  send_text(*client, "2W and so on, in plain text");
  ASSERT_TRUE(network.run_until([&] { return !network.failures.empty() && !recorder.closed.empty(); }));
  EXPECT_THAT(network.failures[0].detail, HasSubstr("wrong version number"));
}

TEST_F(ListenerTest, ClosesWithoutACallback) {
  TlsPair tls;
  const auto listener = network.listen(tls.server);
  const auto client = connect(*listener);  // in its handshake
  network.settle();
  Recorder recorder;
  client->start(recorder);
  listener->close();
  listener->close();
  ASSERT_TRUE(network.run_until([&] { return !recorder.closed.empty(); }));
  network.settle();
  EXPECT_TRUE(network.failures.empty());
  EXPECT_TRUE(network.accepted.empty());
}

TEST_F(ListenerTest, StreamsOutliveIt) {
  auto listener = network.listen();
  const auto client = connect(*listener);
  ASSERT_TRUE(run_until_accepted(1));
  listener.reset();
  Recorder at_client, at_server;
  client->start(at_client);
  network.accepted[0]->start(at_server);
  send_text(*client, "still there");
  ASSERT_TRUE(network.run_until([&] { return at_server.received == "still there"; }));
  network.accepted[0]->close();
}

TEST_F(ListenerTest, MayBeDestroyedFromItsCallback) {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> accepted;
  listener = std::make_unique<Listener>(
      network.context, on_loopback(),
      [&](std::unique_ptr<Stream> stream) {
        accepted = std::move(stream);
        listener.reset();
      },
      [](auto, const auto&) {});
  const auto client = connect(*listener);
  ASSERT_TRUE(network.run_until([&] { return accepted != nullptr; }));
  network.settle();
}

/// Lets this process open no further file until it is destroyed.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(next);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::close(next);
    // Lower numbers may be free.
    for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) fillers_.push_back(fd);
  }
  ~NoMoreFiles() {
    for (const int fd : fillers_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> fillers_;
};

TEST_F(ListenerTest, SurvivesATimeWithoutFiles) {
  const auto listener = network.listen();
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(client, 0);
  {
    const NoMoreFiles none;
    ASSERT_EQ(::connect(client, listener->local().data(), listener->local().size()), 0);
    ASSERT_TRUE(network.run_until([&] { return network.failures.size() == 2; })) << "it tries again, and reports again";
    EXPECT_EQ(network.failures[0].error, std::errc::too_many_files_open);
    EXPECT_EQ(network.failures[0].detail, "accepting: Too many open files");
  }
  EXPECT_TRUE(run_until_accepted(1));
  ::close(client);
}

}  // namespace
}  // namespace windlass::net
