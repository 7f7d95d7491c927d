#include "protocol/lumberjack_server.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "wire/deflate.h"
#include "wire/lumberjack_bytes.h"

namespace windlass::protocol {
namespace {

using Kind = LumberjackServer::Event::Kind;
using Said = std::vector<std::string>;
using test::ack_frame;
using test::compressed_frame;
using test::frame;
using test::json_frame;
using test::window_frame;

std::string deflated(std::string_view bytes) {
  wire::Deflater deflater(9);
  base::ByteQueue out;
  deflater.write(bytes, out);
  deflater.finish(out);
  return std::string(out.view());
}

// A window of events that are their own numbers.
std::string window(std::uint32_t count) {
  std::string bytes = window_frame(count);
  for (std::uint32_t i = 1; i <= count; ++i) bytes += json_frame(i, std::to_string(i));
  return bytes;
}

// The server's next event in words; "nothing" without one.
std::string next(LumberjackServer& server) {
  const auto event = server.poll();
  if (!event) return "nothing";
  switch (event->kind) {
    case Kind::window_begun:
      return "window of " + std::to_string(event->number);
    case Kind::event:
      return std::to_string(event->number) + ": " + std::string(event->payload);
    case Kind::window_complete:
      return "complete with " + std::to_string(event->number);
  }
  return "";
}

Said poll_all(LumberjackServer& server) {
  Said said;
  for (std::string word = next(server); word != "nothing"; word = next(server)) said.push_back(word);
  return said;
}

Said hears(LumberjackServer& server, std::string_view bytes) {
  EXPECT_EQ(server.receive(bytes), std::error_code()) << server.error_detail();
  return poll_all(server);
}

// What the server says in its last word to a client that sends this.
std::string complaint(std::string_view bytes) {
  LumberjackServer server;
  if (!server.receive(bytes)) poll_all(server);
  EXPECT_EQ(server.error(), errc::protocol_error);
  EXPECT_FALSE(server.wants_input());
  return std::string(server.error_detail());
}

std::string answers(LumberjackServer& server) {
  std::string bytes(server.output().view());
  server.output().clear();
  return bytes;
}

TEST(LumberjackServer, HandsOutAWindowAndAcknowledgesIt) {
  LumberjackServer server;
  EXPECT_TRUE(server.wants_input());
  EXPECT_EQ(hears(server, window(2)), (Said{"window of 2", "1: 1", "2: 2", "complete with 2"}));
  EXPECT_EQ(server.pending(), 1u);
  EXPECT_EQ(answers(server), "");

  server.ack(2);
  EXPECT_EQ(answers(server), ack_frame(2));
  EXPECT_EQ(server.pending(), 0u);
}

TEST(LumberjackServer, AcknowledgesInPartsAndEachPartOnce) {
  LumberjackServer server;
  hears(server, window(10));
  server.ack(3);
  server.ack(3);
  server.ack(2);
  server.ack(7);
  EXPECT_EQ(answers(server), ack_frame(3) + ack_frame(7));
  EXPECT_EQ(server.oldest_count(), 10u);
  EXPECT_EQ(server.oldest_acked(), 7u);
}

TEST(LumberjackServer, AcknowledgesEventsOfAWindowThatIsStillComing) {
  LumberjackServer server;
  hears(server, window(3).substr(0, 6 + 11 + 11));
  server.ack(2);
  EXPECT_EQ(answers(server), ack_frame(2));
  EXPECT_EQ(hears(server, json_frame(3, "3")), (Said{"3: 3", "complete with 3"}));
  server.ack(3);
  EXPECT_EQ(server.pending(), 0u);
}

TEST(LumberjackServer, AcknowledgesPipelinedWindowsInOrder) {
  LumberjackServer server;
  hears(server, window(2) + window(3));
  EXPECT_EQ(server.pending(), 2u);
  server.ack(2);
  server.ack(1);
  server.ack(3);
  EXPECT_EQ(answers(server), ack_frame(2) + ack_frame(1) + ack_frame(3));
  EXPECT_EQ(server.pending(), 0u);
}

TEST(LumberjackServer, SaysThatItLivesWithAnAckOfZero) {
  LumberjackServer server;
  hears(server, window(2));
  server.keep_alive();
  server.keep_alive();
  EXPECT_EQ(answers(server), ack_frame(0));
  server.ack(1);
  server.keep_alive();
  EXPECT_EQ(answers(server), ack_frame(1));
  EXPECT_EQ(server.pending(), 1u);
}

TEST(LumberjackServer, NeitherReportsNorAcknowledgesAnEmptyWindow) {
  LumberjackServer server;
  EXPECT_EQ(hears(server, window_frame(0) + window_frame(0)), Said{});
  EXPECT_EQ(server.pending(), 0u);
  EXPECT_TRUE(server.wants_input());
}

TEST(LumberjackServer, CompletesACompressedWindowOnlyWhenItsChecksumWasRight) {
  LumberjackServer server;
  const std::string stream = deflated(json_frame(1, "a"));
  EXPECT_EQ(hears(server, window_frame(1) + compressed_frame(stream).substr(0, 6 + stream.size() - 1)),
            (Said{"window of 1", "1: a"}));
  EXPECT_EQ(hears(server, stream.substr(stream.size() - 1)), (Said{"complete with 1"}));
}

TEST(LumberjackServer, AcceptsNumbersThatGoOnFromWindowToWindowAndAcknowledgesInThem) {
  LumberjackServer server;
  hears(server, window_frame(2) + json_frame(101, "a") + json_frame(102, "b"));
  server.ack(1);
  server.ack(2);
  EXPECT_EQ(answers(server), ack_frame(101) + ack_frame(102));
}

TEST(LumberjackServer, StopsReadingWhileTooManyWindowsAreOpen) {
  LumberjackServer server({.max_pending_windows = 2});
  EXPECT_EQ(hears(server, window(1) + window(1) + window(1) + window(1)),
            (Said{"window of 1", "1: 1", "complete with 1", "window of 1", "1: 1", "complete with 1"}));
  EXPECT_FALSE(server.wants_input());

  server.ack(1);
  EXPECT_EQ(poll_all(server), (Said{"window of 1", "1: 1", "complete with 1"}));
  EXPECT_FALSE(server.wants_input());
  server.ack(1);
  EXPECT_EQ(poll_all(server), (Said{"window of 1", "1: 1", "complete with 1"}));
  server.ack(1);
  EXPECT_EQ(poll_all(server), Said{});
  EXPECT_TRUE(server.wants_input());
}

TEST(LumberjackServer, ReadsTheRestOfAWindowThoughNoFurtherOneMayBegin) {
  LumberjackServer server({.max_pending_windows = 1});
  EXPECT_EQ(hears(server, window_frame(2) + json_frame(1, "a")), (Said{"window of 2", "1: a"}));
  EXPECT_TRUE(server.wants_input());
  EXPECT_EQ(hears(server, json_frame(2, "b")), (Said{"2: b", "complete with 2"}));
  EXPECT_FALSE(server.wants_input());
}

TEST(LumberjackServer, StopsReadingWhileWhatItReadIsNotPolled) {
  LumberjackServer server;
  ASSERT_FALSE(server.receive(window(2)));
  for (const char* word : {"window of 2", "1: 1", "2: 2", "complete with 2"}) {
    EXPECT_FALSE(server.wants_input());
    EXPECT_EQ(next(server), word);
  }
  EXPECT_EQ(next(server), "nothing");
  EXPECT_TRUE(server.wants_input());
}

TEST(LumberjackServer, StopsReadingAPeerThatDoesNotTakeItsAcks) {
  LumberjackServer server;
  int windows = 0;
  for (; server.wants_input(); ++windows) {
    ASSERT_LT(windows, 100'000);
    hears(server, window(1));
    server.ack(1);
  }
  EXPECT_LE(server.output().size(), 64u * 1024 + 6);
  server.output().clear();
  EXPECT_TRUE(server.wants_input());
}

TEST(LumberjackServer, HandsOutWhatCameBeforeAnError) {
  LumberjackServer server;
  EXPECT_FALSE(server.receive(window_frame(2) + json_frame(1, "a") + "garbage"));
  EXPECT_EQ(poll_all(server), (Said{"window of 2", "1: a"}));
  EXPECT_EQ(server.error(), errc::protocol_error);
  EXPECT_EQ(server.receive(json_frame(2, "b")), errc::protocol_error);
  EXPECT_EQ(poll_all(server), Said{});
  // What is safe may still be acknowledged on the way out.
  server.ack(1);
  EXPECT_EQ(answers(server), ack_frame(1));
}

TEST(LumberjackServer, SaysAtOnceThatAStrangerIsNoClient) {
  LumberjackServer server;
  EXPECT_EQ(server.receive("G"), errc::protocol_error);
  EXPECT_EQ(server.error_detail(), "a frame begins with 'G'; version '2' was expected");
}

TEST(LumberjackServer, RefusesAGiantWindow) {
  EXPECT_EQ(complaint(window_frame(0xffffffff)), "a window of 4294967295 events; at most 65536 are accepted");
}

TEST(LumberjackServer, RefusesAnEventOutsideOfAWindow) {
  EXPECT_EQ(complaint(json_frame(1, "a")), "an event outside of a window");
  EXPECT_EQ(complaint(window(1) + json_frame(2, "a")), "an event outside of a window");
  EXPECT_EQ(complaint(window_frame(0) + json_frame(1, "a")), "an event outside of a window");
  EXPECT_EQ(complaint(compressed_frame(deflated(json_frame(1, "a")))), "an event outside of a window");
  EXPECT_EQ(complaint(compressed_frame(deflated(""))), "a compressed frame outside of a window");
}

TEST(LumberjackServer, RefusesMoreEventsThanTheWindowAnnounced) {
  EXPECT_EQ(complaint(window_frame(1) + compressed_frame(deflated(json_frame(1, "a") + json_frame(2, "b")))),
            "an event more than the 1 of its window");
}

TEST(LumberjackServer, RefusesANewWindowInsideAnUnfinishedOne) {
  EXPECT_EQ(complaint(window_frame(10) + json_frame(1, "a") + window_frame(1)),
            "a new window begins after 1 of 10 events");
}

TEST(LumberjackServer, RefusesNumbersThatDoNotFollowOneAnother) {
  EXPECT_EQ(complaint(window_frame(3) + json_frame(1, "a") + json_frame(3, "b")), "event 3 follows event 1");
  EXPECT_EQ(complaint(window_frame(3) + json_frame(1, "a") + json_frame(1, "b")), "event 1 follows event 1");
}

TEST(LumberjackServer, RefusesKeyValueFramesOfTheFirstVersion) {
  EXPECT_EQ(complaint(window_frame(1) + frame('D', 1)),
            "a frame of type 'D' (key and value, of version 1); events must be 'J' (JSON)");
}

TEST(LumberjackServerDeathTest, DoesNotAcknowledgeWhatItHasNotSeen) {
  LumberjackServer server;
  EXPECT_DEATH(server.ack(1), "assertion");
  hears(server, window_frame(2) + json_frame(1, "a"));
  EXPECT_DEATH(server.ack(2), "assertion");
}

}  // namespace
}  // namespace windlass::protocol
