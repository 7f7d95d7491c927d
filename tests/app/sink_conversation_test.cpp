#include "app/sink_conversation.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "protocol/lumberjack_server.h"
#include "support/temporary_directory.h"
#include "wire/lumberjack_bytes.h"

namespace windlass::app {
namespace {

using namespace std::chrono_literals;
using End = SinkConversation::End;
using test::ack_frame;
using test::json_frame;
using test::window_frame;

constexpr base::Time start = base::Time(1h);
const std::string keep_alive = ack_frame(0);

// Events from..to, in the midst of a window.
std::string events(std::uint32_t from, std::uint32_t to) {
  std::string bytes;
  for (std::uint32_t i = from; i <= to; ++i) bytes += json_frame(i, std::to_string(i));
  return bytes;
}
std::string window(std::uint32_t count) {
  return window_frame(count) + events(1, count);
}

// A peer that talks to one conversation, at times of its choice.
class Peer {
 public:
  explicit Peer(const SinkFaults& faults = {}, Recorder* recorder = nullptr)
      : faults_(faults),
        conversation(std::make_unique<protocol::LumberjackServer>(), faults_, recorder, counters, ids, start) {}

  // What it hears after it has said this.
  std::string says(const std::string& bytes, base::Time now = start) {
    EXPECT_TRUE(conversation.wants_input());
    conversation.receive(bytes, now);
    while (conversation.has_more()) conversation.take(1000, now);
    return hears();
  }
  // What it hears when time goes on until `now`.
  std::string waits(base::Time now) {
    while (conversation.next_timeout() <= now) {
      conversation.handle_timeout(conversation.next_timeout());
      while (conversation.has_more()) conversation.take(1000, now);
    }
    return hears();
  }
  std::string hears() {
    std::string heard(conversation.output().view());
    conversation.output().clear();
    return heard;
  }

 private:
  SinkFaults faults_;

 public:
  SinkCounters counters;
  KnownIds ids;
  SinkConversation conversation;
};

SinkFaults with(void (*set)(SinkFaults&)) {
  SinkFaults faults;
  set(faults);
  return faults;
}

TEST(SinkConversation, AcknowledgesWholeWindows) {
  Peer peer;
  EXPECT_EQ(peer.says(window(3)), ack_frame(3));
  EXPECT_EQ(peer.says(window_frame(2) + events(1, 1)), "");
  EXPECT_EQ(peer.says(events(2, 2) + window(4)), ack_frame(2) + ack_frame(4));
  EXPECT_EQ(peer.counters.events, 9u);
  EXPECT_EQ(peer.counters.acked, 9u);
  EXPECT_EQ(peer.counters.windows, 3u);
  EXPECT_EQ(peer.counters.acks, 3u);
  EXPECT_EQ(peer.counters.bytes, 9u);
  EXPECT_FALSE(peer.conversation.finished());
}

TEST(SinkConversation, HasRecordedWhatItAcknowledges) {
  const test::TemporaryDirectory directory;
  const std::string path = (directory.path() / "record").string();
  Recorder recorder(path);
  Peer peer({}, &recorder);
  EXPECT_EQ(peer.says(window(2)), ack_frame(2));
  std::ifstream file(path);
  std::string first, second;
  EXPECT_TRUE(std::getline(file, first) && std::getline(file, second));
  EXPECT_EQ(first + second, "12");
}

TEST(SinkConversation, BringsTheRecordUpToDateWithEachSignOfLife) {
  const test::TemporaryDirectory directory;
  const std::string path = (directory.path() / "record").string();
  Recorder recorder(path);
  Peer peer(with([](SinkFaults& faults) { faults.keepalive_only = true; }), &recorder);
  EXPECT_EQ(peer.says(window(1)), "");
  EXPECT_EQ(std::filesystem::file_size(path), 0u);
  EXPECT_EQ(peer.waits(start + 1s), keep_alive);
  EXPECT_EQ(std::filesystem::file_size(path), 2u);
}

TEST(SinkConversation, AcknowledgesNothingThatItCannotRecord) {
  Recorder recorder("/dev/full");
  Peer peer({}, &recorder);
  EXPECT_EQ(peer.says(window(2)), "");
  EXPECT_TRUE(peer.conversation.finished());
  EXPECT_EQ(peer.conversation.end(), End::not_recorded);
  EXPECT_EQ(peer.counters.acked, 0u);
}

TEST(SinkConversation, TakesNoMoreThanItIsTold) {
  Peer peer;
  peer.conversation.receive(window(5), start);
  EXPECT_EQ(peer.conversation.take(2, start), 2u);
  EXPECT_TRUE(peer.conversation.has_more());
  EXPECT_FALSE(peer.conversation.wants_input());
  EXPECT_EQ(peer.hears(), "");
  EXPECT_EQ(peer.conversation.take(2, start), 2u);
  EXPECT_EQ(peer.conversation.take(2, start), 1u);
  EXPECT_EQ(peer.hears(), ack_frame(5));
  EXPECT_FALSE(peer.conversation.has_more());
  EXPECT_TRUE(peer.conversation.wants_input());
}

TEST(SinkConversation, GivesASignOfLifeWhileTheTakingIsSlow) {
  Peer peer;
  peer.conversation.receive(window(5), start);
  peer.conversation.take(1, start);
  EXPECT_EQ(peer.conversation.next_timeout(), start + 5s);
  peer.conversation.handle_timeout(start + 5s);
  EXPECT_EQ(peer.hears(), keep_alive);
  EXPECT_EQ(peer.conversation.next_timeout(), start + 10s);
}

TEST(SinkConversation, DelaysEachAck) {
  Peer peer(with([](SinkFaults& faults) { faults.delay = 2s; }));
  EXPECT_EQ(peer.says(window(3)), "");
  EXPECT_EQ(peer.says(window(4), start + 1s), "");
  EXPECT_EQ(peer.waits(start + 1999ms), "");
  EXPECT_EQ(peer.waits(start + 2s), ack_frame(3));
  EXPECT_EQ(peer.waits(start + 2999ms), "");
  EXPECT_EQ(peer.waits(start + 3s), ack_frame(4));
}

TEST(SinkConversation, GivesSignsOfLifeDuringALongDelay) {
  Peer peer(with([](SinkFaults& faults) { faults.delay = 12s; }));
  EXPECT_EQ(peer.says(window(1)), "");
  EXPECT_EQ(peer.waits(start + 5s), keep_alive);
  EXPECT_EQ(peer.waits(start + 10s), keep_alive);
  EXPECT_EQ(peer.waits(start + 12s), ack_frame(1));
  EXPECT_EQ(peer.waits(start + 40s), "");
  EXPECT_EQ(peer.counters.keep_alives, 2u);
}

TEST(SinkConversation, CountsTheTimeToASignOfLifeFromWhenThePeerBeganToWait) {
  Peer peer(with([](SinkFaults& faults) { faults.delay = 12s; }));
  EXPECT_EQ(peer.waits(start + 30s), "");
  EXPECT_EQ(peer.says(window(1), start + 30s), "");
  EXPECT_EQ(peer.waits(start + 34s), "");
  EXPECT_EQ(peer.waits(start + 35s), keep_alive);
}

TEST(SinkConversation, CountsOnlyTheSignsOfLifeThatItGives) {
  Peer peer(with([](SinkFaults& faults) { faults.keepalive_only = true; }));
  EXPECT_EQ(peer.says(window(1)), "");
  EXPECT_EQ(peer.waits(start + 3s), keep_alive) << "no further one before the first is on its way";
  EXPECT_EQ(peer.counters.keep_alives, 1u);
}

TEST(SinkConversation, ReadsNoFurtherThanAFewWindowsThatWaitForTheirAcks) {
  Peer peer(with([](SinkFaults& faults) { faults.delay = 1s; }));
  std::string many;
  for (int i = 0; i < 10; ++i) many += window(1);
  EXPECT_EQ(peer.says(many), "");
  EXPECT_FALSE(peer.conversation.wants_input());
  EXPECT_EQ(peer.counters.windows, 8u);
  std::string first;
  for (int i = 0; i < 8; ++i) first += ack_frame(1);
  EXPECT_EQ(peer.waits(start + 1s), first);
  EXPECT_TRUE(peer.conversation.wants_input());
  EXPECT_EQ(peer.waits(start + 2s), ack_frame(1) + ack_frame(1));
}

TEST(SinkConversation, AcknowledgesWhatItTookAndEndsAfterSoManyEvents) {
  Peer peer(with([](SinkFaults& faults) { faults.close_after = 5; }));
  EXPECT_EQ(peer.says(window(3)), ack_frame(3));
  EXPECT_EQ(peer.says(window(4)), ack_frame(2));
  EXPECT_TRUE(peer.conversation.finished());
  EXPECT_EQ(peer.conversation.end(), End::fault);
  EXPECT_FALSE(peer.conversation.wants_input());
  EXPECT_EQ(peer.counters.events, 5u);
  EXPECT_EQ(peer.counters.acked, 5u);
}

TEST(SinkConversation, TakesAndAcknowledgesAPartOfAWindowAndEnds) {
  Peer peer(with([](SinkFaults& faults) { faults.ack_partial = 2; }));
  EXPECT_EQ(peer.says(window(2)), ack_frame(2)) << "no more than the part";
  EXPECT_EQ(peer.says(window(4) + window(1)), ack_frame(2));
  EXPECT_TRUE(peer.conversation.finished());
  EXPECT_EQ(peer.counters.events, 4u) << "what is not acknowledged is not taken";
}

TEST(SinkConversation, DelaysTheAckOfAPartToo) {
  Peer peer(with([](SinkFaults& faults) {
    faults.ack_partial = 1;
    faults.delay = 1s;
  }));
  EXPECT_EQ(peer.says(window(2)), "");
  EXPECT_FALSE(peer.conversation.finished());
  EXPECT_EQ(peer.waits(start + 1s), ack_frame(1));
  EXPECT_TRUE(peer.conversation.finished());
}

TEST(SinkConversation, DiesOfAPoisonousEventAndAcknowledgesNothingOfItsWindow) {
  Peer peer(with([](SinkFaults& faults) { faults.poison = "7"; }));
  EXPECT_EQ(peer.says(window(6) + window(9)), ack_frame(6)) << "the window before is another matter";
  EXPECT_TRUE(peer.conversation.finished());
  EXPECT_EQ(peer.conversation.end(), End::fault);
  EXPECT_EQ(peer.counters.events, 12u) << "the poison is not taken, nor what comes behind it";
  EXPECT_EQ(peer.counters.acked, 6u);
}

TEST(SinkConversation, OnlyKeepsAlive) {
  Peer peer(with([](SinkFaults& faults) { faults.keepalive_only = true; }));
  EXPECT_EQ(peer.says(window(3)), "");
  EXPECT_EQ(peer.waits(start + 3500ms), keep_alive) << "one that the peer has not read yet is enough";
  EXPECT_EQ(peer.waits(start + 4s), keep_alive);
  EXPECT_EQ(peer.counters.events, 3u);
  EXPECT_EQ(peer.counters.acked, 0u);
  EXPECT_FALSE(peer.waits(start + 1h).empty());
  EXPECT_FALSE(peer.conversation.finished()) << "it is the sink that is silent, not the peer";
}

TEST(SinkConversation, EndsWithAPeerThatSaysNothing) {
  Peer peer;
  EXPECT_EQ(peer.says(window(1), start + 10s), ack_frame(1));
  EXPECT_EQ(peer.waits(start + 69s), "");
  EXPECT_FALSE(peer.conversation.finished());
  EXPECT_EQ(peer.waits(start + 70s), "");
  EXPECT_TRUE(peer.conversation.finished());
  EXPECT_EQ(peer.conversation.end(), End::idle);
}

TEST(SinkConversation, EndsWithAPeerThatStallsInsideAWindow) {
  Peer peer;
  EXPECT_EQ(peer.says(window_frame(2) + events(1, 1)), "");
  EXPECT_EQ(peer.waits(start + 1min), "") << "a sign of life is for those who wait";
  EXPECT_TRUE(peer.conversation.finished());
  EXPECT_TRUE(peer.conversation.busy());
}

TEST(SinkConversation, AcknowledgesWhatCameBeforeABreachOfTheProtocol) {
  Peer peer(with([](SinkFaults& faults) { faults.delay = 1s; }));
  EXPECT_EQ(peer.says(window(2) + window_frame(3) + events(1, 1) + "GET / HTTP/1.1\r\n"), ack_frame(2));
  EXPECT_TRUE(peer.conversation.finished());
  EXPECT_EQ(peer.conversation.end(), End::protocol_error);
  EXPECT_NE(peer.conversation.farewell().why.find("breaks the protocol: "), std::string::npos);
}

TEST(SinkConversation, AcknowledgesWhatItTookWhenItIsStopped) {
  Peer peer(with([](SinkFaults& faults) { faults.delay = 1h; }));
  EXPECT_EQ(peer.says(window(2) + window_frame(3) + events(1, 1)), "");
  peer.conversation.stop(start);
  EXPECT_EQ(peer.hears(), ack_frame(2) + ack_frame(1));
  EXPECT_TRUE(peer.conversation.finished());
  EXPECT_EQ(peer.counters.acked, peer.counters.events);
}

TEST(SinkConversation, StoppedWithNothingOpenJustEnds) {
  Peer peer;
  EXPECT_EQ(peer.says(window(2)), ack_frame(2));
  peer.conversation.stop(start);
  EXPECT_EQ(peer.hears(), "");
  EXPECT_TRUE(peer.conversation.finished());
}

TEST(SinkConversation, NeverAcknowledgesWhereItOnlyKeepsAliveNotEvenAtTheEnd) {
  Peer peer(with([](SinkFaults& faults) { faults.keepalive_only = true; }));
  EXPECT_EQ(peer.says(window(2)), "");
  peer.conversation.stop(start);
  EXPECT_EQ(peer.hears(), "");
  EXPECT_TRUE(peer.conversation.finished());
}

}  // namespace
}  // namespace windlass::app
