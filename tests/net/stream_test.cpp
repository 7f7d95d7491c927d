#include "net/stream.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include <windlass/error.h>

#include "base/random.h"
#include "peers.h"

namespace windlass::net {
namespace {

enum class Kind { tcp, tls };

class StreamTest : public testing::TestWithParam<Kind> {
 protected:
  bool run_until(std::function<bool()> condition) { return network.run_until(std::move(condition)); }

  const std::unique_ptr<TlsPair> tls = GetParam() == Kind::tls ? std::make_unique<TlsPair>() : nullptr;
  Network network;
  Connection connection{network, tls.get()};
  std::unique_ptr<Stream>& client = connection.client;
  std::unique_ptr<Stream>& server = connection.server;
  Recorder& at_client = connection.at_client;
  Recorder& at_server = connection.at_server;
};

INSTANTIATE_TEST_SUITE_P(Over, StreamTest, testing::Values(Kind::tcp, Kind::tls),
                         [](const auto& kind) { return kind.param == Kind::tcp ? "Tcp" : "Tls"; });

/// Sends `total` bytes that a seed determines, a piece at a time.
struct Source {
  Stream& stream;
  std::uint64_t total;
  base::Random random;
  std::uint64_t made = 0;

  void send_next() {
    if (made == total) return;
    base::ByteQueue bytes;
    const std::size_t count = std::min<std::uint64_t>(total - made, 1 + random.below(300'000));
    char* const to = bytes.prepare(count);
    for (std::size_t i = 0; i < count; ++i) to[i] = pattern(made + i);
    bytes.commit(count);
    made += count;
    stream.send(bytes);
  }
  static char pattern(std::uint64_t position) {
    return static_cast<char>(base::Random(position / 8)() >> (position % 8 * 8));
  }
};

/// Checks them as they come, without holding them.
struct Check {
  std::uint64_t received = 0;
  bool intact = true;
  void take(std::string_view bytes) {
    for (const char byte : bytes) intact = intact && byte == Source::pattern(received++);
  }
};

TEST_P(StreamTest, KnowsBothItsEnds) {
  EXPECT_EQ(client->local_endpoint(), server->peer_endpoint());
  EXPECT_EQ(client->peer_endpoint(), server->local_endpoint());
  EXPECT_TRUE(client->peer_endpoint().starts_with("127.0.0.1:"));
}

TEST_P(StreamTest, CarriesBytesBothWays) {
  send_text(*client, "ping");
  EXPECT_TRUE(client->sending());
  EXPECT_EQ(at_client.sent, 0) << "callbacks come from the loop";
  ASSERT_TRUE(run_until([&] { return at_server.received == "ping" && at_client.sent == 1; }));
  EXPECT_FALSE(client->sending());
  send_text(*server, "pong");
  ASSERT_TRUE(run_until([&] { return at_client.received == "pong"; }));
}

TEST_P(StreamTest, TakesBytesByExchangingQueues) {
  base::ByteQueue bytes;
  bytes.append("first");
  client->send(bytes);
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(bytes.capacity(), 0u);
  ASSERT_TRUE(run_until([&] { return at_client.sent == 1; }));
  bytes.append("second");
  client->send(bytes);
  EXPECT_TRUE(bytes.empty());
  EXPECT_GT(bytes.capacity(), 0u) << "the memory of the first has come back";
  ASSERT_TRUE(run_until([&] { return at_server.received == "firstsecond"; }));
}

TEST_P(StreamTest, CarriesMuchInBothDirectionsAtOnce) {
  constexpr std::uint64_t total = 16 << 20;
  Check check_at_client, check_at_server;
  Source from_client{*client, total, base::Random(1)};
  Source from_server{*server, total, base::Random(2)};
  at_client.when_received = [&](std::string_view bytes) { check_at_client.take(bytes); };
  at_server.when_received = [&](std::string_view bytes) { check_at_server.take(bytes); };
  at_client.when_sent = [&] { from_client.send_next(); };
  at_server.when_sent = [&] { from_server.send_next(); };
  from_client.send_next();
  from_server.send_next();
  ASSERT_TRUE(run_until([&] { return check_at_client.received == total && check_at_server.received == total; }));
  EXPECT_TRUE(check_at_client.intact);
  EXPECT_TRUE(check_at_server.intact);
}

TEST_P(StreamTest, SurvivesThousandsOfSmallSends) {
  constexpr int count = 5000;
  int next = 0;
  std::string expected;
  const auto send_next = [&] {
    if (next == count) return;
    const std::string text = std::to_string(next++) + ";";
    expected += text;
    send_text(*client, text);
  };
  at_client.when_sent = send_next;
  send_next();
  ASSERT_TRUE(run_until([&] { return at_client.sent == count && at_server.received.size() == expected.size(); }));
  EXPECT_EQ(at_server.received, expected);
}

TEST_P(StreamTest, SendsWithoutEndAreHeldUpByAReaderThatPauses) {
  server->pause_reading();
  const std::string piece(100'000, 'x');
  std::size_t given = 0;
  at_client.when_sent = [&] {
    send_text(*client, piece);
    given += piece.size();
  };
  at_client.when_sent();
  const int sent_before = [&] {
    network.settle();
    return at_client.sent;
  }();
  network.settle();
  EXPECT_EQ(at_client.sent, sent_before);
  EXPECT_TRUE(client->sending());
  EXPECT_GT(client->unsent(), 0u);
  EXPECT_TRUE(at_server.received.empty());

  at_client.when_sent = [] {};
  server->resume_reading();
  ASSERT_TRUE(run_until([&] { return at_server.received.size() == given; }));
  EXPECT_FALSE(client->sending());
}

TEST_P(StreamTest, APauseFromInsideACallbackHoldsAtOnce) {
  at_server.when_received = [&](std::string_view) { server->pause_reading(); };
  const std::string much(1 << 20, 'x');
  send_text(*client, much);
  ASSERT_TRUE(run_until([&] { return !at_server.received.empty(); }));
  const std::size_t after_one = at_server.received.size();
  network.settle();
  EXPECT_EQ(at_server.received.size(), after_one);
  EXPECT_LE(after_one, Stream::max_received);

  at_server.when_received = [&](std::string_view) {  // in one go, again and again
    server->pause_reading();
    server->resume_reading();
  };
  server->resume_reading();
  ASSERT_TRUE(run_until([&] { return at_server.received.size() == much.size(); }));
}

TEST_P(StreamTest, HearsOnceThatThePeerHasClosed) {
  send_text(*server, "last words");
  server->close();
  EXPECT_FALSE(server->is_open());
  ASSERT_TRUE(run_until([&] { return !at_client.closed.empty(); }));
  network.settle();
  EXPECT_EQ(at_client.received, "last words");
  EXPECT_EQ(at_client.closed, std::vector<std::error_code>{errc::connection_lost});
  EXPECT_FALSE(client->is_open());
  EXPECT_TRUE(at_server.closed.empty()) << "who closes hears nothing";
  EXPECT_EQ(at_server.sent, 0);
}

TEST_P(StreamTest, HearsThatThePeerHasReset) {
  server->abort();
  ASSERT_TRUE(run_until([&] { return !at_client.closed.empty(); }));
  EXPECT_EQ(at_client.closed.front(), std::errc::connection_reset);
  EXPECT_EQ(at_client.closed.size(), 1u);
}

TEST_P(StreamTest, ReceivesWhatThePeerSaidBeforeASendFails) {
  network.settle();  // the client waits for bytes, and will hear of the failed send before it hears of them
  send_text(*server, "acknowledged");
  server->abort();
  send_text(*client, "more");  // into a connection that is reset already
  ASSERT_TRUE(run_until([&] { return !at_client.closed.empty(); }));
  EXPECT_EQ(at_client.received, "acknowledged");
  EXPECT_EQ(at_client.sent, 0);
  EXPECT_TRUE(at_client.closed.front());
}

TEST_P(StreamTest, NoCallbackComesAfterClose) {
  send_text(*server, "arrives too late");
  send_text(*client, "is on its way");  // its on_sent is queued
  client->close();
  client->close();
  network.settle();
  EXPECT_EQ(at_client.sent, 0);
  EXPECT_TRUE(at_client.received.empty());
  EXPECT_TRUE(at_client.closed.empty());
  EXPECT_FALSE(client->sending());
}

TEST_P(StreamTest, ASendOnAClosedStreamIsDiscarded) {
  client->close();
  base::ByteQueue bytes;
  bytes.append("nowhere");
  client->send(bytes);
  EXPECT_TRUE(bytes.empty());
  EXPECT_FALSE(client->sending());
  client->resume_reading();
  client->abort();
  network.settle();
  EXPECT_EQ(at_client.sent, 0);
}

TEST_P(StreamTest, MayBeDestroyedFromOnReceived) {
  at_client.when_received = [&](std::string_view) { client.reset(); };
  send_text(*server, std::string(1 << 20, 'x'));
  ASSERT_TRUE(run_until([&] { return !at_server.closed.empty(); }));
  EXPECT_LE(at_client.received.size(), Stream::max_received);
  EXPECT_TRUE(at_client.closed.empty());
}

TEST_P(StreamTest, MayBeDestroyedFromOnSent) {
  at_client.when_sent = [&] { client.reset(); };
  send_text(*client, "goodbye");
  ASSERT_TRUE(run_until([&] { return !at_server.closed.empty(); }));
  EXPECT_EQ(at_server.received, "goodbye");
  EXPECT_TRUE(at_client.closed.empty());
}

TEST_P(StreamTest, MayBeDestroyedFromOnClosed) {
  at_client.when_closed = [&] { client.reset(); };
  server->close();
  ASSERT_TRUE(run_until([&] { return !client; }));
  network.settle();
  EXPECT_EQ(at_client.closed.size(), 1u);
}

TEST_P(StreamTest, MayBeClosedInTheMiddleOfALargeSend) {
  at_server.when_received = [&](std::string_view) { client->close(); };
  send_text(*client, std::string(32 << 20, 'x'));
  ASSERT_TRUE(run_until([&] { return !at_server.closed.empty(); }));
  EXPECT_LT(at_server.received.size(), std::size_t{32} << 20);
  EXPECT_EQ(at_client.sent, 0);
}

}  // namespace
}  // namespace windlass::net
