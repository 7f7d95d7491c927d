// Client and server talk to each other, over a line that cuts bytes as it likes.
#include <deque>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include "base/random.h"
#include "protocol/lumberjack_client.h"
#include "protocol/lumberjack_server.h"
#include "wire/lumberjack_bytes.h"

namespace windlass::protocol {
namespace {

// One direction of the line: takes at most `most` bytes of what waits.
std::string carry(base::ByteQueue& from, std::size_t most) {
  std::string bytes(from.view().substr(0, most));
  from.consume(bytes.size());
  return bytes;
}

// A server that acknowledges when chance will, in parts or at once, and says now and then that it lives.
class Sink {
 public:
  Sink(LumberjackServer::Limits limits, base::Random& chance) : server(limits), chance_(chance) {}

  void poll() {
    // Not always to the end: what is not polled holds the client back.
    for (int budget = 1 + static_cast<int>(chance_.below(8)); budget > 0; --budget) {
      const auto event = server.poll();
      if (!event) break;
      switch (event->kind) {
        case LumberjackServer::Event::Kind::window_begun:
          open_.push_back({event->number, 0});
          break;
        case LumberjackServer::Event::Kind::event:
          received.emplace_back(event->payload);
          RC_ASSERT(event->number == ++open_.back().seen);
          break;
        case LumberjackServer::Event::Kind::window_complete:
          ++completed;
          // An early full ack may have closed it already.
          if (!open_.empty()) RC_ASSERT(open_.back().seen == open_.back().count);
          break;
      }
    }
    if (chance_.chance(0.2)) server.keep_alive();
    while (!open_.empty() && chance_.chance(0.5)) {
      const Open& oldest = open_.front();
      const std::size_t pending = server.pending();
      server.ack(static_cast<std::uint32_t>(chance_.chance(0.5) ? oldest.seen : chance_.below(oldest.seen + 1)));
      if (server.pending() == pending) break;
      open_.pop_front();
    }
  }

  LumberjackServer server;
  std::vector<std::string> received;
  std::size_t completed = 0;

 private:
  struct Open {
    std::uint32_t count;
    std::uint32_t seen;
  };
  base::Random& chance_;
  std::deque<Open> open_;
};

RC_GTEST_PROP(LumberjackConversation, DeliversEveryEventOnceAndInOrderAndAcknowledgesIt, ()) {
  // Too large to be shrunk in reasonable time.
  const auto batches = *rc::gen::resize(
      40, rc::gen::noShrink(rc::gen::container<std::vector<std::vector<std::string>>>(test::payloads())));
  const int compression_level = *rc::gen::inRange(0, 4);
  const auto max_pending = *rc::gen::inRange<std::size_t>(1, 4);
  base::Random chance(*rc::gen::arbitrary<std::uint64_t>());

  LumberjackClient client({.compression_level = compression_level});
  Sink sink({.decoder = {}, .max_pending_windows = max_pending}, chance);
  std::vector<std::string> sent;
  std::size_t next = 0;
  std::size_t done = 0;
  std::uint32_t acked = 0;
  for (std::size_t round = 0; done < batches.size(); ++round) {
    RC_ASSERT(round < 100'000u);
    if (next < batches.size() && client.pending() < 3 && chance.chance(0.5)) {
      client.send(next, test::batch_of(batches[next]));
      sent.insert(sent.end(), batches[next].begin(), batches[next].end());
      ++next;
    }
    if (sink.server.wants_input()) RC_ASSERT(!sink.server.receive(carry(client.output(), chance.below(1 << 17))));
    sink.poll();
    RC_ASSERT(!client.receive(carry(sink.server.output(), chance.below(20))));
    while (const auto event = client.poll()) {
      if (event->kind == LumberjackClient::Event::Kind::alive) continue;
      RC_ASSERT(event->token == done);
      RC_ASSERT(event->count > acked);
      acked = event->count;
      if (event->kind != LumberjackClient::Event::Kind::done) continue;
      RC_ASSERT(event->count == batches[done].size());
      ++done;
      acked = 0;
    }
  }
  while (sink.server.poll()) ++sink.completed;
  RC_ASSERT(sink.received == sent);
  RC_ASSERT(client.pending() == 0u);
  RC_ASSERT(sink.server.pending() == 0u);
  RC_ASSERT(sink.completed == batches.size());
}

TEST(LumberjackConversation, FillsTheLargestWindow) {
  LumberjackClient client;
  LumberjackServer server;
  client.send(1, test::batch_of(std::vector<std::string>(LumberjackClient::max_window, std::string(400, 'x'))));
  ASSERT_FALSE(server.receive(client.output().view()));
  std::uint32_t events = 0;
  while (const auto event = server.poll()) events += event->kind == LumberjackServer::Event::Kind::event;
  EXPECT_EQ(events, LumberjackClient::max_window);
  server.ack(events);
  ASSERT_FALSE(client.receive(server.output().view()));
  EXPECT_EQ(client.poll(), (LumberjackClient::Event{LumberjackClient::Event::Kind::done, 1, events}));
}

}  // namespace
}  // namespace windlass::protocol
