#include "app/relay_conversation.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <windlass/error.h>

#include "wire/lumberjack_bytes.h"

namespace windlass::app {
namespace {

using namespace std::chrono_literals;
using test::ack_frame;
using test::json_frame;
using test::window_frame;

constexpr base::Time start = base::Time(1h);
const std::string keep_alive = ack_frame(0);
const Outcome done{{}, 1, 0, 0};

RelayIntake::Limits small_pieces() {
  RelayIntake::Limits limits;
  limits.piece_events = 2;
  return limits;
}

std::string window(std::uint32_t count) {
  std::string bytes = window_frame(count);
  for (std::uint32_t i = 1; i <= count; ++i) bytes += json_frame(i, "{}");
  return bytes;
}

// A queue with room for so many pieces, and one client that talks to it.
class Client final : public RelayIntake {
 public:
  Client() : RelayIntake(small_pieces()) {}

  std::error_code publish(EventBuffer&& events, std::uint32_t, std::uint32_t piece) override {
    if (refusal) return refusal;
    if (room == 0) return errc::queue_full;
    --room;
    pieces.emplace_back(piece, events.size());
    return {};
  }
  bool reading_rests() const override { return false; }
  void on_memory_held() override {}

  std::string says(const std::string& bytes, base::Time now = start) {
    EXPECT_TRUE(conversation.wants_input());
    conversation.receive(bytes, now);
    return goes_on(now);
  }
  std::string goes_on(base::Time now = start) {
    while (conversation.has_more()) conversation.take(1000, now);
    std::string heard(conversation.output().view());
    conversation.output().clear();
    return heard;
  }
  std::string hears_of(std::size_t piece, const Outcome& outcome, base::Time now = start) {
    conversation.settled(pieces.at(piece).first, outcome, now);
    return goes_on(now);
  }
  std::string waits(base::Time now) {
    while (conversation.next_timeout() <= now) conversation.handle_timeout(conversation.next_timeout());
    return goes_on(now);
  }

  std::size_t room = 100;
  std::error_code refusal;
  std::vector<std::pair<std::uint32_t, std::size_t>> pieces;
  RelayConversation conversation{*this, 7, start};
};

TEST(RelayConversation, AcknowledgesAWindowOnceItsEventsAreDone) {
  Client client;
  EXPECT_EQ(client.says(window(2)), "");
  ASSERT_EQ(client.pieces.size(), 1u);
  EXPECT_EQ(client.hears_of(0, done), ack_frame(2));
  EXPECT_EQ(client.counters.acked, 2u);
  EXPECT_EQ(client.counters.acked_windows, 1u);
}

TEST(RelayConversation, AcknowledgesAPartWhenAllBeforeItIsDone) {
  Client client;
  client.says(window(5));
  ASSERT_EQ(client.pieces.size(), 3u);
  EXPECT_EQ(client.hears_of(1, done), "");
  EXPECT_EQ(client.hears_of(0, done), ack_frame(4));
  EXPECT_EQ(client.hears_of(2, done), ack_frame(5));
}

TEST(RelayConversation, AcknowledgesWindowsInTheirOrder) {
  Client client;
  client.says(window(1) + window(2));
  EXPECT_EQ(client.hears_of(1, done), "");
  EXPECT_EQ(client.hears_of(0, done), ack_frame(1) + ack_frame(2));
}

TEST(RelayConversation, HandsInWhatCameOfAHalfWindowButNotItsEndBeforeItIsSound) {
  Client client;
  client.says(window_frame(4) + json_frame(1, "{}"));
  ASSERT_EQ(client.pieces.size(), 1u);
  EXPECT_EQ(client.hears_of(0, done), ack_frame(1));
  std::string frame = test::compressed_frame("no zlib stream");
  client.says(json_frame(2, "{}") + json_frame(3, "{}") + frame);
  EXPECT_TRUE(client.conversation.finished());
  EXPECT_EQ(client.pieces.size(), 2u);
  EXPECT_TRUE(client.conversation.farewell().is_warning);
}

TEST(RelayConversation, TakesADeadLetterForDoneAndNeverADrop) {
  Client client;
  client.says(window(2) + window(2) + window(2));
  EXPECT_EQ(client.hears_of(0, {errc::rejected, 1, 1, 1}), ack_frame(2));
  EXPECT_EQ(client.hears_of(2, {errc::rejected, 1, 1, 0}), "");
  EXPECT_FALSE(client.conversation.finished());  // what came before the drop may still be acknowledged
  EXPECT_FALSE(client.conversation.wants_input());
  EXPECT_EQ(client.hears_of(1, done), ack_frame(2));
  EXPECT_TRUE(client.conversation.finished());
  EXPECT_EQ(client.counters.cut.at(RelayEnd::dropped), 1u);
}

TEST(RelayConversation, KeepsWhatFindsNoRoomAndIsNotReadMeanwhile) {
  Client client;
  client.room = 1;
  client.says(window(5));
  EXPECT_EQ(client.pieces.size(), 1u);
  EXPECT_TRUE(client.conversation.waiting_for_room());
  EXPECT_FALSE(client.conversation.wants_input());
  EXPECT_EQ(client.waits(start + 5s), keep_alive);
  client.room = 2;
  client.conversation.go_on(start + 6s);
  client.goes_on(start + 6s);
  EXPECT_EQ(client.pieces.size(), 3u);
  EXPECT_TRUE(client.conversation.wants_input());
  client.hears_of(0, done);
  client.hears_of(1, done);
  EXPECT_EQ(client.hears_of(2, done), ack_frame(5));
}

TEST(RelayConversation, KeepsAliveWhoWaitsAndLetsGoWhoDoesNot) {
  Client client;
  client.says(window(1));
  EXPECT_EQ(client.waits(start + 5s), keep_alive);
  EXPECT_EQ(client.waits(start + 10s), keep_alive);
  EXPECT_EQ(client.hears_of(0, done, start + 12s), ack_frame(1));
  client.waits(start + 71s);
  EXPECT_FALSE(client.conversation.finished());
  client.waits(start + 72s);
  EXPECT_TRUE(client.conversation.finished());
  EXPECT_EQ(client.counters.cut.at(RelayEnd::idle), 1u);
}

TEST(RelayConversation, CutsAHalfWindowOfWhichNoEventComes) {
  Client client;
  client.says(window_frame(1) + json_frame(1, "{}").substr(0, 5));
  client.says(json_frame(1, "{}").substr(5, 1), start + 50s);
  client.waits(start + 59s);
  EXPECT_FALSE(client.conversation.finished());
  client.waits(start + 60s);
  EXPECT_EQ(client.counters.cut.at(RelayEnd::half_window), 1u);
}

TEST(RelayConversation, RefusesWhatIsNoJsonObject) {
  Client client;
  client.says(window_frame(1) + json_frame(1, "[1]"));
  EXPECT_TRUE(client.conversation.finished());
  EXPECT_EQ(client.conversation.farewell().why, "it breaks the protocol: event 1 of a window of 1 is no JSON object");
}

TEST(RelayConversation, AcknowledgesAfterAStopWhatWasHandedIn) {
  Client client;
  client.says(window(2) + window_frame(4) + json_frame(1, "{}"));
  client.conversation.stop(start);
  EXPECT_FALSE(client.conversation.finished());
  EXPECT_EQ(client.hears_of(0, done), ack_frame(2));
  EXPECT_EQ(client.hears_of(1, done), ack_frame(1));
  EXPECT_TRUE(client.conversation.finished());
}

TEST(RelayConversation, LeavesToTheClientWhatIsClosedAtTheEnd) {
  Client client;
  client.says(window(2));
  client.conversation.stop(start);
  EXPECT_EQ(client.hears_of(0, {errc::closed, 0, 2, 0}), "");
  EXPECT_TRUE(client.conversation.finished());
}

TEST(RelayConversation, HoldsNoMemoryBetweenWindows) {
  Client client;
  client.says(window(2));
  EXPECT_EQ(client.conversation.memory(), 0u);
  client.says(window_frame(1) + json_frame(1, "{}").substr(0, 9));
  EXPECT_GT(client.memory_held, 0u);
  EXPECT_LT(client.memory_held, 100u);
}

}  // namespace
}  // namespace windlass::app
