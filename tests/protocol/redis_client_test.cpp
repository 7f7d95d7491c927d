#include "protocol/redis_client.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "wire/lumberjack_bytes.h"

namespace windlass::protocol {
namespace {

using Event = RedisClient::Event;
using Events = std::vector<Event>;
using Kind = Event::Kind;
using Options = RedisClient::Options;
using test::batch_of;

Batch events(std::size_t count) {
  return batch_of(std::vector<std::string>(count, "{}"));
}

Events poll_all(RedisClient& client) {
  Events all;
  while (auto event = client.poll()) all.push_back(std::move(*event));
  return all;
}

/// What the client concludes from these bytes.
Events hears(RedisClient& client, std::string_view bytes) {
  EXPECT_EQ(client.receive(bytes), std::error_code()) << client.error_detail();
  return poll_all(client);
}

std::string said(RedisClient& client) {
  const std::string bytes(client.output().view());
  client.output().clear();
  return bytes;
}

Options options(RedisDataType type = RedisDataType::list) {
  return {.data_type = type, .key = "logs"};
}

/// Past its handshake.
RedisClient ready_client(RedisDataType type = RedisDataType::list) {
  RedisClient client(options(type));
  client.start();
  EXPECT_FALSE(client.receive("+PONG\r\n"));
  client.output().clear();
  return client;
}

const Event alive{Kind::alive};
Event progress(std::uint64_t token, std::uint32_t count) {
  return {Kind::progress, token, count};
}
Event done(std::uint64_t token, std::uint32_t count, PublishResult result = {}) {
  return {Kind::done, token, count, std::move(result)};
}

TEST(RedisClient, AsksWhetherTheServerIsOfUse) {
  RedisClient client(options());
  EXPECT_FALSE(client.ready());
  client.start();
  EXPECT_EQ(said(client), "*1\r\n$4\r\nPING\r\n");
  EXPECT_FALSE(client.can_send());
  hears(client, "+PONG\r\n");
  EXPECT_TRUE(client.can_send());
}

TEST(RedisClient, SaysWhoItIsAndWhichDatabaseItWants) {
  RedisClient client({.key = "logs", .user = "shipper", .password = "secret", .database = 3});
  client.start();
  EXPECT_EQ(
      said(client),
      "*3\r\n$4\r\nAUTH\r\n$7\r\nshipper\r\n$6\r\nsecret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*1\r\n$4\r\nPING\r\n");
  hears(client, "+OK\r\n+OK\r\n");
  EXPECT_FALSE(client.ready());
  hears(client, "+PONG\r\n");
  EXPECT_TRUE(client.ready());
}

TEST(RedisClient, NeedsNoUserForAPassword) {
  RedisClient client({.key = "logs", .password = "secret"});
  client.start();
  EXPECT_EQ(said(client), "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*1\r\n$4\r\nPING\r\n");
}

TEST(RedisClient, SaysWhichStepOfTheHandshakeFailedAndWhy) {
  const auto complaint = [](std::string_view bytes) {
    RedisClient client({.key = "logs", .password = "secret", .database = 3});
    client.start();
    EXPECT_EQ(client.receive(bytes), errc::connect_failed);
    EXPECT_FALSE(client.ready());
    return std::string(client.error_detail());
  };
  EXPECT_EQ(complaint("-WRONGPASS invalid username-password pair or user is disabled.\r\n-NOAUTH a\r\n"),
            "AUTH: WRONGPASS invalid username-password pair or user is disabled.");
  EXPECT_EQ(complaint("+OK\r\n-ERR DB index is out of range\r\n"), "SELECT: ERR DB index is out of range");
  EXPECT_EQ(complaint("+OK\r\n+OK\r\n-LOADING Redis is loading the dataset in memory\r\n"),
            "PING: LOADING Redis is loading the dataset in memory");
}

TEST(RedisClient, TakesWhoMayNotPingForOneThatMayWrite) {
  RedisClient client(options());
  client.start();
  hears(client, "-NOPERM this user has no permissions to run the 'ping' command\r\n");
  EXPECT_TRUE(client.ready());
}

TEST(RedisClient, PushesABatchAtOnce) {
  RedisClient client = ready_client();
  client.send(7, batch_of({"{}", "[]"}));
  EXPECT_EQ(said(client), "*4\r\n$5\r\nRPUSH\r\n$4\r\nlogs\r\n$2\r\n{}\r\n$2\r\n[]\r\n");
  EXPECT_EQ(client.pending(), 1u);
  EXPECT_EQ(hears(client, ":2"), Events{});
  EXPECT_EQ(hears(client, "\r\n"), (Events{done(7, 2)}));
  EXPECT_EQ(client.pending(), 0u);
}

TEST(RedisClient, PublishesAndAddsEventByEvent) {
  RedisClient publisher = ready_client(RedisDataType::channel);
  publisher.send(7, batch_of({"{}", "[]"}));
  EXPECT_EQ(said(publisher),
            "*3\r\n$7\r\nPUBLISH\r\n$4\r\nlogs\r\n$2\r\n{}\r\n*3\r\n$7\r\nPUBLISH\r\n$4\r\nlogs\r\n$2\r\n[]\r\n");
  EXPECT_EQ(hears(publisher, ":0\r\n"), (Events{progress(7, 1)}));
  EXPECT_EQ(hears(publisher, ":3\r\n"), (Events{done(7, 2)}));

  RedisClient adder = ready_client(RedisDataType::stream);
  adder.send(7, batch_of({"{}"}));
  EXPECT_EQ(said(adder), "*5\r\n$4\r\nXADD\r\n$4\r\nlogs\r\n$1\r\n*\r\n$5\r\nevent\r\n$2\r\n{}\r\n");
  EXPECT_EQ(hears(adder, "$15\r\n1526919030474-0\r\n"), (Events{done(7, 1)}));
}

TEST(RedisClient, MatchesRepliesToPipelinedBatchesInTheOrderOfSending) {
  RedisClient client = ready_client(RedisDataType::stream);
  client.send(1, events(2));
  client.send(2, events(1));
  client.send(3, events(2));
  EXPECT_EQ(hears(client, "$3\r\n1-0\r\n$3\r\n1-1\r\n$3\r\n1-2\r\n$3\r\n1-3\r\n"),
            (Events{done(1, 2), done(2, 1), progress(3, 1)}));
  EXPECT_EQ(client.pending(), 1u);
}

TEST(RedisClient, HandsBackTheEventsThatTheMemoryHadNoRoomFor) {
  RedisClient client = ready_client(RedisDataType::stream);
  client.send(7, events(4));
  EXPECT_EQ(hears(client, "$3\r\n1-0\r\n-OOM command not allowed\r\n"), (Events{progress(7, 1), alive}));
  PublishResult expected = PublishResult::returned({{1, errc::throttled}, {3, errc::throttled}});
  expected.error = errc::throttled;
  EXPECT_EQ(hears(client, "$3\r\n1-2\r\n-OOM\r\n"), (Events{done(7, 4, expected), alive}));
  EXPECT_FALSE(client.error());
}

TEST(RedisClient, HandsBackAWholePushThatTheMemoryHadNoRoomFor) {
  RedisClient client = ready_client();
  client.send(7, events(2));
  PublishResult expected = PublishResult::returned({{0, errc::throttled}, {1, errc::throttled}});
  expected.error = errc::throttled;
  EXPECT_EQ(hears(client, "-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
            (Events{done(7, 2, expected), alive}));
}

TEST(RedisClient, EndsTheConversationWhereNothingCanBeSentThisWay) {
  for (const std::string error :
       {"READONLY You can't write against a read only replica.", "LOADING Redis is loading the dataset in memory",
        "WRONGTYPE Operation against a key holding the wrong kind of value", "NOAUTH Authentication required.",
        "MISCONF Redis is configured to save RDB snapshots", "MOVED 3999 127.0.0.1:6381", "OOMPH", "ERR"}) {
    RedisClient client = ready_client(RedisDataType::stream);
    client.send(7, events(3));
    EXPECT_EQ(client.receive("$3\r\n1-0\r\n-" + error + "\r\n$3\r\n1-2\r\n"), errc::temporary);
    EXPECT_EQ(client.error_detail(), error);
    // What came before counts, what came after is not known.
    EXPECT_EQ(poll_all(client), (Events{progress(7, 1)}));
    EXPECT_EQ(client.receive("$3\r\n1-3\r\n"), errc::temporary);
    EXPECT_EQ(client.pending(), 1u);
  }
}

TEST(RedisClient, RepeatsWhatAServerSaysBeforeItCloses) {
  RedisClient client = ready_client();
  EXPECT_EQ(client.receive("-ERR client closed by operator\r\n"), errc::temporary);
  EXPECT_EQ(client.error_detail(), "ERR client closed by operator");
}

TEST(RedisClient, NeverTakesAnOddReplyForAnAcknowledgement) {
  const auto complaint = [](RedisDataType type, std::string_view bytes) {
    RedisClient client = ready_client(type);
    client.send(7, events(1));
    EXPECT_EQ(client.receive(bytes), errc::protocol_error);
    EXPECT_EQ(poll_all(client), Events{});
    return std::string(client.error_detail());
  };
  EXPECT_EQ(complaint(RedisDataType::list, "+OK\r\n"), "an odd reply to a command that adds events");
  EXPECT_EQ(complaint(RedisDataType::list, "$1\r\n1\r\n"), "an odd reply to a command that adds events");
  EXPECT_EQ(complaint(RedisDataType::stream, "$-1\r\n"), "an odd reply to a command that adds events");
  EXPECT_EQ(complaint(RedisDataType::stream, ":1\r\n"), "an odd reply to a command that adds events");
  EXPECT_EQ(complaint(RedisDataType::list, "*1\r\n:1\r\n"), "an array of 1 values; at most 0 are accepted");
  EXPECT_EQ(complaint(RedisDataType::list, "HTTP/1.1 400 Bad Request\r\n"),
            "a value begins with 'H'; one of +-:$* was expected");

  RedisClient idle = ready_client();
  EXPECT_EQ(idle.receive(":1\r\n"), errc::protocol_error);
  EXPECT_EQ(idle.error_detail(), "a reply to no command");
  RedisClient beginner(options());
  beginner.start();
  EXPECT_EQ(beginner.receive(":1\r\n"), errc::protocol_error);
  EXPECT_EQ(beginner.error_detail(), "PING: an odd reply");
}

}  // namespace
}  // namespace windlass::protocol
