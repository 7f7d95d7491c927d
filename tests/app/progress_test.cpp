#include "app/progress.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace windlass::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

WorkerStatistics worker(const std::string& endpoint, WorkerState state, std::uint64_t acked, unsigned window = 2) {
  WorkerStatistics result;
  result.endpoint = endpoint;
  result.state = state;
  result.acked = acked;
  result.window = window;
  return result;
}

TEST(Progress, ShowsRateQueueAndEachEndpointsShare) {
  Statistics before;
  before.ledger.acked = 1000;
  before.workers = {worker("h1:5044", WorkerState::connected, 600), worker("host2:5044", WorkerState::connected, 400),
                    worker("h3:5044", WorkerState::connected, 0)};
  Statistics after = before;
  after.ledger.acked = 5000;
  after.ledger.queued = 65536;
  after.ledger.in_flight = 4096;
  after.ledger.dropped[errc::rejected] = 7;
  after.workers[0].acked = 3600;
  after.workers[1].acked = 1400;
  after.workers[1].window_reason = "halved: throttled";
  after.workers[2].state = WorkerState::waiting;
  after.workers[2].last_error = errc::connection_lost;
  EXPECT_THAT(progress_lines(before, after, 2, 120, 24),
              ElementsAre("2.00k events/s  acked 5.00k  queued 65.5k  in flight 4.10k  dropped 7",
                          "  h1:5044     ########..  75 %  1.50k/s  window 2",
                          "  host2:5044  ###.......  25 %    500/s  window 2 (halved: throttled)",
                          "  h3:5044     ..........   0 %      0/s  waiting (the connection was lost)"));
}

TEST(Progress, SaysWhoIsAtItsLimit) {
  Statistics before;
  before.workers = {worker("h1", WorkerState::connected, 0)};
  before.workers[0].rate_limit = 5000;
  Statistics after = before;
  EXPECT_EQ(progress_lines(before, after, 1, 120, 24)[1], "  h1  ..........   0 %      0/s  window 2");
  after.workers[0].at_rate_limit = std::chrono::milliseconds(1);
  EXPECT_EQ(progress_lines(before, after, 1, 120, 24)[1],
            "  h1  ..........   0 %      0/s  window 2, at its limit of 5.00k/s");
}

TEST(Progress, PutsTheConnectionsOfAnEndpointTogether) {
  Statistics after;
  after.workers = {worker("h1", WorkerState::waiting, 1, 0), worker("h1", WorkerState::connected, 3, 4)};
  EXPECT_THAT(progress_lines({}, after, 1, 80, 24)[1], HasSubstr("4/s  window 4 of 2 connections"));
}

TEST(Progress, IsNeverWiderOrHigherThanTheTerminal) {
  Statistics after;
  for (int index = 0; index < 50; ++index)
    after.workers.push_back(worker(std::string(200, 'h') + std::to_string(index), WorkerState::connected, 10));
  for (const std::size_t width : {0, 1, 10, 40, 80, 1000}) {
    for (const std::size_t height : {0, 1, 2, 5, 24, 51, 100}) {
      const auto lines = progress_lines({}, after, 1, width, height);
      EXPECT_EQ(lines.size(), std::min<std::size_t>(height, 51));
      for (const std::string& line : lines) EXPECT_LE(line.size(), width);
    }
  }
  EXPECT_THAT(progress_lines({}, after, 1, 80, 5)[4], HasSubstr("47 more"));
}

TEST(Progress, StandsTimeThatDoesNotPassAndCountersThatGoBack) {
  Statistics before;
  before.ledger.acked = 10;
  EXPECT_THAT(progress_lines(before, {}, 0, 80, 24), ElementsAre("    0 events/s  acked 0  queued 0  in flight 0"));
}

TEST(Progress, FitsInALineOfALog) {
  Statistics after;
  after.ledger.acked = 100;
  after.workers = {worker("h1", WorkerState::connected, 0), worker("h2", WorkerState::connecting, 0)};
  EXPECT_EQ(progress_summary({}, after, 10), "10 events/s  acked 100  queued 0  in flight 0  connected 1 of 2");
}

TEST(ProgressDisplay, DrawsOverWhatItDrewBefore) {
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  EXPECT_FALSE(ProgressDisplay::is_possible(pipe[1]));
  ProgressDisplay display(pipe[1]);
  EXPECT_EQ(display.size().columns, 80u);
  display.clear();
  display.show({"one", "two"});
  display.show({"three"});
  display.clear();
  ::close(pipe[1]);
  std::string drawn(1000, '\0');
  drawn.resize(static_cast<std::size_t>(::read(pipe[0], drawn.data(), drawn.size())));
  ::close(pipe[0]);
  EXPECT_EQ(drawn,
            "\rone\x1b[K\n\rtwo\x1b[K\n\x1b[J"
            "\x1b[2A\rthree\x1b[K\n\x1b[J"
            "\x1b[1A\x1b[J");
}

}  // namespace
}  // namespace windlass::app
