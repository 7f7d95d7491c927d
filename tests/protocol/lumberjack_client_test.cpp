#include "protocol/lumberjack_client.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "wire/lumberjack_bytes.h"

namespace windlass::protocol {
namespace {

using Event = LumberjackClient::Event;
using Events = std::vector<Event>;
using Kind = Event::Kind;
using test::ack_frame;
using test::batch_of;
using test::json_frame;
using test::window_frame;

Batch events(std::size_t count) {
  return batch_of(std::vector<std::string>(count, "{}"));
}

Events poll_all(LumberjackClient& client) {
  Events events;
  while (const auto event = client.poll()) events.push_back(*event);
  return events;
}

// What the client concludes from these bytes.
Events hears(LumberjackClient& client, std::string_view bytes) {
  EXPECT_EQ(client.receive(bytes), std::error_code()) << client.error_detail();
  return poll_all(client);
}

const Event alive{Kind::alive};
Event progress(std::uint64_t token, std::uint32_t count) {
  return {Kind::progress, token, count};
}
Event done(std::uint64_t token, std::uint32_t count) {
  return {Kind::done, token, count};
}

TEST(LumberjackClient, SendsAWindowAndIsDoneWhenItsLastEventIsAcknowledged) {
  LumberjackClient client({.compression_level = 0});
  client.send(7, batch_of({"{}", "[]"}));
  EXPECT_EQ(client.output().view(), window_frame(2) + json_frame(1, "{}") + json_frame(2, "[]"));
  EXPECT_EQ(client.pending(), 1u);
  EXPECT_EQ(poll_all(client), Events{});

  EXPECT_EQ(hears(client, ack_frame(2)), (Events{done(7, 2)}));
  EXPECT_EQ(client.pending(), 0u);
}

TEST(LumberjackClient, CompressesWhenAskedTo) {
  LumberjackClient client({.compression_level = 3});
  client.send(1, events(1000));
  EXPECT_EQ(client.output().view().substr(0, 8), window_frame(1000) + "2C");
  EXPECT_LT(client.output().size(), 6000u);
}

TEST(LumberjackClient, ReportsPartialAcksAsTheyCount) {
  LumberjackClient client;
  client.send(7, events(10));
  EXPECT_EQ(hears(client, ack_frame(3)), (Events{progress(7, 3)}));
  EXPECT_EQ(hears(client, ack_frame(9)), (Events{progress(7, 9)}));
  EXPECT_EQ(client.pending(), 1u);
  EXPECT_EQ(hears(client, ack_frame(10)), (Events{done(7, 10)}));
}

TEST(LumberjackClient, ReportsKeepAlivesAsAliveAndNeverAsProgress) {
  LumberjackClient client;
  client.send(7, events(10));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(hears(client, ack_frame(0)), (Events{alive}));
  EXPECT_EQ(client.pending(), 1u);
  EXPECT_EQ(hears(client, ack_frame(4) + ack_frame(0)), (Events{progress(7, 4), alive}));
}

TEST(LumberjackClient, TakesAKeepAliveWhileNothingIsOpen) {
  LumberjackClient client;
  EXPECT_EQ(hears(client, ack_frame(0)), (Events{alive}));
}

TEST(LumberjackClient, TakesARepeatedOrLowerAckForASignOfLife) {
  LumberjackClient client;
  client.send(7, events(10));
  EXPECT_EQ(hears(client, ack_frame(5)), (Events{progress(7, 5)}));
  EXPECT_EQ(hears(client, ack_frame(5)), (Events{alive}));
  EXPECT_EQ(hears(client, ack_frame(2)), (Events{alive}));
  EXPECT_EQ(hears(client, ack_frame(6)), (Events{progress(7, 6)}));
}

TEST(LumberjackClient, MatchesAcksToPipelinedWindowsInTheOrderOfSending) {
  LumberjackClient client;
  client.send(1, events(10));
  client.send(2, events(5));
  client.send(3, events(10));
  EXPECT_EQ(client.pending(), 3u);
  EXPECT_EQ(hears(client, ack_frame(4)), (Events{progress(1, 4)}));
  EXPECT_EQ(hears(client, ack_frame(10) + ack_frame(5) + ack_frame(1)),
            (Events{done(1, 10), done(2, 5), progress(3, 1)}));
  EXPECT_EQ(client.pending(), 1u);
  EXPECT_EQ(hears(client, ack_frame(10)), (Events{done(3, 10)}));
}

TEST(LumberjackClient, GathersWhatAPeerSaysWhileNobodyPolls) {
  LumberjackClient client;
  client.send(1, events(10'000));
  for (std::uint32_t sequence = 1; sequence <= 5000; ++sequence)
    ASSERT_FALSE(client.receive(ack_frame(sequence) + ack_frame(0)));
  EXPECT_EQ(poll_all(client), (Events{progress(1, 5000), alive}));
}

TEST(LumberjackClient, AcceptsAnAckInPieces) {
  LumberjackClient client;
  client.send(7, events(3));
  for (const char byte : ack_frame(3).substr(0, 5)) EXPECT_EQ(hears(client, {&byte, 1}), Events{});
  EXPECT_EQ(hears(client, ack_frame(3).substr(5)), (Events{done(7, 3)}));
}

TEST(LumberjackClient, EndsTheConversationAtAnAckBeyondTheWindow) {
  LumberjackClient client;
  client.send(7, events(10));
  EXPECT_EQ(client.receive(ack_frame(11)), errc::protocol_error);
  EXPECT_EQ(client.error_detail(), "an ack of 11 in a window of 10");
  EXPECT_EQ(poll_all(client), Events{});
  EXPECT_EQ(client.pending(), 1u);
}

TEST(LumberjackClient, EndsTheConversationAtAnAckThatNobodyWaitsFor) {
  LumberjackClient client;
  EXPECT_EQ(client.receive(ack_frame(1)), errc::protocol_error);
  EXPECT_EQ(client.error_detail(), "an ack of 1 while no window is open");
}

TEST(LumberjackClient, EndsTheConversationAtAnythingButAnAck) {
  LumberjackClient client;
  EXPECT_EQ(client.receive("HTTP/1.1 400 Bad Request"), errc::protocol_error);
  EXPECT_EQ(client.error_detail(), "an answer begins with 'H'; version '2' was expected");
}

TEST(LumberjackClient, StillReportsTheAcksThatCameBeforeAnErrorSoThatOnlyTheRestIsSentAgain) {
  LumberjackClient client;
  client.send(1, events(10));
  client.send(2, events(10));
  EXPECT_EQ(client.receive(ack_frame(10) + ack_frame(6) + "garbage"), errc::protocol_error);
  EXPECT_EQ(poll_all(client), (Events{done(1, 10), progress(2, 6)}));
  EXPECT_EQ(client.receive(ack_frame(10)), errc::protocol_error);
  EXPECT_EQ(poll_all(client), Events{});
  EXPECT_EQ(client.pending(), 1u);
}

TEST(LumberjackClient, SendsABatchThatServersWouldRefuseAsSeveralWindows) {
  LumberjackClient client({.compression_level = 0});
  client.send(7, events(LumberjackClient::max_window + 2));
  EXPECT_EQ(client.pending(), 2u);
  EXPECT_EQ(hears(client, ack_frame(5)), (Events{progress(7, 5)}));
  EXPECT_EQ(hears(client, ack_frame(10'000) + ack_frame(1)), (Events{progress(7, 10'000), progress(7, 10'001)}));
  EXPECT_EQ(hears(client, ack_frame(2)), (Events{done(7, 10'002)}));
}

// Any answers of a peer that keeps to the protocol, told in any pieces: in the end every window is done, in order, and
// no progress was reported that was not acknowledged.
RC_GTEST_PROP(LumberjackClient, ConcludesWhatThePeerSaid, ()) {
  LumberjackClient client({.compression_level = 0});
  const auto counts = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(1u, 20u));
  std::string answers;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    client.send(i, events(counts[i]));
    for (const std::uint32_t ack : *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0u, counts[i])))
      answers += ack_frame(ack);
    answers += ack_frame(counts[i]);
  }

  std::uint64_t oldest = 0;
  std::uint32_t acked = 0;
  test::in_pieces(answers, *test::cuts(), [&](std::string_view piece) {
    RC_ASSERT(!client.receive(piece));
    while (const auto event = client.poll()) {
      if (event->kind == Kind::alive) continue;
      RC_ASSERT(event->token == oldest);
      RC_ASSERT(event->count > acked);
      RC_ASSERT(event->count <= counts[oldest]);
      RC_ASSERT((event->kind == Kind::done) == (event->count == counts[oldest]));
      acked = event->count;
      if (event->kind == Kind::done) {
        ++oldest;
        acked = 0;
      }
    }
  });
  RC_ASSERT(oldest == counts.size());
  RC_ASSERT(client.pending() == 0u);
}

}  // namespace
}  // namespace windlass::protocol
