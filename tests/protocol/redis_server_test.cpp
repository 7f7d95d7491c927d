#include "protocol/redis_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "protocol/redis_client.h"
#include "wire/lumberjack_bytes.h"

namespace windlass::protocol {
namespace {

using Kind = ServerConversation::Event::Kind;

/// What a server made of what it heard: "[2 a b ]" is a whole window of two.
std::string poll_all(RedisServer& server) {
  std::string story;
  while (const auto event = server.poll()) {
    if (event->kind == Kind::window_begun) story += fmt::format("[{} ", event->number);
    if (event->kind == Kind::event) story += fmt::format("{} ", event->payload);
    if (event->kind == Kind::window_complete) story += "]";
  }
  return story;
}

std::string hears(RedisServer& server, std::string_view bytes) {
  EXPECT_TRUE(server.wants_input());
  server.receive(bytes);
  return poll_all(server);
}

std::string command(std::initializer_list<std::string_view> arguments) {
  base::ByteQueue out;
  wire::resp::encode_command(arguments, out);
  return std::string(out.view());
}

std::string said(RedisServer& server) {
  const std::string bytes(server.output().view());
  server.output().clear();
  return bytes;
}

TEST(RedisServer, TakesWhatIsPushedPublishedAndAdded) {
  RedisServer server;
  EXPECT_EQ(hears(server, command({"RPUSH", "key", "a", "b"})), "[2 a b ]");
  EXPECT_EQ(hears(server, command({"lpush", "key", "c"}) + command({"Publish", "key", "d"})), "[1 c ][1 d ]");
  EXPECT_EQ(hears(server, command({"XADD", "key", "*", "event", "e"})), "[1 e ]");
  EXPECT_EQ(said(server), "");
  EXPECT_EQ(server.pending(), 4u);
  EXPECT_EQ(server.oldest_count(), 2u);
  server.ack(1);  // there is no word for it
  EXPECT_EQ(said(server), "");
  EXPECT_EQ(server.oldest_acked(), 1u);
  server.ack(2);
  server.ack(1);
  EXPECT_EQ(said(server), ":2\r\n:3\r\n");
  server.ack(1);
  server.ack(1);
  EXPECT_EQ(said(server), ":1\r\n$3\r\n5-0\r\n");
  EXPECT_EQ(server.pending(), 0u);
}

TEST(RedisServer, AnswersTheRestOfAConversationInTheOrderOfCommands) {
  RedisServer server;
  EXPECT_EQ(hears(server, command({"AUTH", "user", "password"}) + command({"SELECT", "1"}) + command({"ping"})), "");
  EXPECT_EQ(said(server), "+OK\r\n+OK\r\n+PONG\r\n");
  EXPECT_EQ(hears(server, command({"RPUSH", "key", "a"}) + command({"PING"}) + command({"GET", "x"})), "[1 a ]");
  EXPECT_EQ(said(server), "");
  server.ack(1);
  EXPECT_EQ(said(server), ":1\r\n+PONG\r\n-ERR unknown command 'GET'\r\n");
}

TEST(RedisServer, KnowsWhatClientsAskAtFirst) {
  RedisServer server;
  hears(server,
        command({"HELLO", "3"}) + command({"CLIENT", "SETINFO", "LIB-NAME", "x"}) + command({"COMMAND", "DOCS"}));
  EXPECT_EQ(said(server), "-ERR unknown command 'HELLO'\r\n+OK\r\n*0\r\n");
  hears(server, command({"INFO"}));
  EXPECT_NE(said(server).find("redis_version:"), std::string::npos);
}

TEST(RedisServer, RefusesCommandsThatAreNotWhole) {
  RedisServer server;
  hears(server, command({"RPUSH", "key"}) + command({"PUBLISH", "a", "b", "c"}) + command({"XADD", "a", "*", "b"}));
  EXPECT_EQ(said(server),
            "-ERR wrong number of arguments for 'RPUSH' command\r\n-ERR wrong number of arguments for 'PUBLISH' command"
            "\r\n-ERR wrong number of arguments for 'XADD' command\r\n");
  EXPECT_EQ(hears(server, "*0\r\n" + command({"RPUSH", "key", "a"})), "[1 a ]");
}

TEST(RedisServer, EndsInGoodOrderOnceEverythingIsAnswered) {
  RedisServer server;
  hears(server, command({"RPUSH", "key", "a"}) + command({"QUIT"}) + command({"RPUSH", "key", "b"}));
  EXPECT_FALSE(server.finished());
  EXPECT_FALSE(server.wants_input());
  server.ack(1);
  EXPECT_EQ(said(server), ":1\r\n+OK\r\n");
  EXPECT_TRUE(server.finished());
}

TEST(RedisServer, SaysWhatItDidNotUnderstand) {
  const auto complaint = [](std::string_view bytes) {
    RedisServer server;
    hears(server, bytes);
    EXPECT_EQ(server.error(), errc::protocol_error);
    EXPECT_EQ(said(server), "-ERR Protocol error: " + std::string(server.error_detail()) + "\r\n");
    EXPECT_FALSE(server.wants_input());
    return std::string(server.error_detail());
  };
  EXPECT_EQ(complaint("PING\r\n"), "a value begins with 'P'; one of +-:$* was expected");
  EXPECT_EQ(complaint("+PING\r\n"), "a value that is no array; a command was expected");
  EXPECT_EQ(complaint("*1\r\n:1\r\n"), "a command holds something else than strings");
  EXPECT_EQ(complaint("*1\r\n*1\r\n"), "arrays in arrays; at most 1 are accepted");
  EXPECT_EQ(complaint("*2\r\n$99999999\r\n"), "a string of 99999999 bytes; at most 10485760 are accepted");
}

TEST(RedisServer, StopsReadingWhileTooMuchIsOpen) {
  RedisServer server({.max_pending_windows = 2});
  const std::string push = command({"RPUSH", "key", "a"});
  EXPECT_EQ(hears(server, push + push + push), "[1 a ][1 a ]");
  EXPECT_FALSE(server.wants_input());
  server.ack(1);
  EXPECT_EQ(poll_all(server), "[1 a ]");
  server.ack(1);
  EXPECT_EQ(poll_all(server), "");
  EXPECT_TRUE(server.wants_input());
}

// A client and a server that are joined by a line which cuts as it likes: everything arrives, in order, and is
// acknowledged once.
RC_GTEST_PROP(RedisConversation, CarriesAnyEventsUnderAnySplit, ()) {
  const auto type = *rc::gen::element(RedisDataType::list, RedisDataType::channel, RedisDataType::stream);
  RedisClient client({.data_type = type, .key = "key", .password = "secret"});
  RedisServer server;
  const auto to_server = *test::cuts();
  const auto to_client = *test::cuts();
  std::vector<std::string> sent;
  std::vector<std::string> taken;
  std::vector<std::uint64_t> done;
  std::vector<std::uint32_t> complete;

  const auto poll_server = [&] {
    while (const auto event = server.poll()) {
      if (event->kind == Kind::event) taken.emplace_back(event->payload);
      if (event->kind == Kind::window_complete) complete.push_back(event->number);
    }
    for (const std::uint32_t count : complete) server.ack(count);
    complete.clear();
  };
  const auto exchange = [&] {
    const std::string forth(client.output().view());
    client.output().clear();
    test::in_pieces(forth, to_server, [&](std::string_view piece) {
      RC_ASSERT(server.wants_input());
      RC_ASSERT(!server.receive(piece));
      poll_server();
    });
    const std::string back(server.output().view());
    server.output().clear();
    test::in_pieces(back, to_client, [&](std::string_view piece) {
      RC_ASSERT(!client.receive(piece));
      while (const auto event = client.poll()) {
        if (event->kind == RedisClient::Event::Kind::done) {
          RC_ASSERT(event->result == PublishResult::acked());
          done.push_back(event->token);
        }
      }
    });
  };
  client.start();
  exchange();
  RC_ASSERT(client.ready());
  const auto batches = *rc::gen::container<std::vector<std::vector<std::string>>>(3, test::payloads());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    client.send(i, test::batch_of(batches[i]));
    sent.insert(sent.end(), batches[i].begin(), batches[i].end());
    if (*rc::gen::arbitrary<bool>()) exchange();
  }
  exchange();
  RC_ASSERT(taken == sent);
  RC_ASSERT(done == (std::vector<std::uint64_t>{0, 1, 2}));
  RC_ASSERT(client.pending() == 0u);
}

}  // namespace
}  // namespace windlass::protocol
