// Endpoints that are neither well nor gone: each costs the others nothing, is tried with one batch at a time, and comes
// back by itself. When all look bad, none is shut out.
#include <algorithm>
#include <functional>
#include <memory>

#include "core/earliest_finish.h"
#include "core/world.h"

namespace windlass::core {
namespace {

constexpr auto usual = 10ms;  ///< of work for a batch
constexpr auto onset = 10s;   ///< the first endpoint falls ill
constexpr auto healed = 20s;  ///< and is well again
constexpr auto end = 30s;

Options options() {
  Options options;
  options.max_attempts = 0;
  options.timeout = 2s;
  options.progress_timeout = 2s;
  options.bulk_max_events = 1;
  options.max_duplicates = 0.01;
  return options;
}

WorkerOptions worker_options() {
  WorkerOptions worker;
  worker.wait_retry = 100ms;
  worker.max_wait_retry = 5s;
  worker.window = 64;
  return worker;
}

/// A batch every 7 ms, for endpoints that take 10 ms each: two of them are busy for 71 % of the time.
class Stream {
 public:
  explicit Stream(std::size_t endpoints)
      : world(std::make_unique<EarliestFinish>(std::vector<unsigned>(endpoints, 64)),
              std::vector<WorkerOptions>(endpoints, worker_options()), options()),
        begin_(world.now) {
    world.everywhere(acknowledging(usual));
    for (base::Duration at{0}; at < end; at += 7ms) {
      world.after(at, [this] {
        published_.push_back(world.now);
        world.publish();
      });
    }
  }

  void at(base::Duration when, const std::function<void()>& what) { world.after(when, what); }

  /// The longest that one of a hundred batches took which were published in this time.
  base::Duration p99(base::Duration from, base::Duration until) const {
    std::vector<base::Duration> times;
    for (std::size_t number = 0; number < published_.size(); ++number) {
      const base::Duration when = published_[number] - begin_;
      if (when >= from && when < until) times.push_back(world.heard[number].at - published_[number]);
    }
    std::sort(times.begin(), times.end());
    return times.at(times.size() * 99 / 100);
  }

  World world;

 private:
  base::Time begin_;
  std::vector<base::Time> published_;
};

/// What ails the first endpoint, and how often it may be tried in the ten seconds.
struct Illness {
  const char* name;
  std::function<void(World::Endpoint&)> falls_ill;
  std::uint64_t most_sends;
};

class GrayFailure : public testing::TestWithParam<Illness> {};

INSTANTIATE_TEST_SUITE_P(
    Of, GrayFailure,
    testing::Values(
        Illness{"AnEndpointThatFailsFast", [](World::Endpoint& one) { one.answer = failing(errc::temporary).answer; },
                40},
        Illness{"AnEndpointThatIsTwentyTimesSlower", [](World::Endpoint& one) { one.takes = 20 * usual; }, 40},
        Illness{"AnEndpointThatTakesAndNeverAnswers", [](World::Endpoint& one) { one.answer = silent().answer; }, 20}),
    [](const auto& illness) { return illness.param.name; });

TEST_P(GrayFailure, CostsTheOthersNothing) {
  Stream without(2);
  without.world.pass(end);
  ASSERT_TRUE(without.world.finish(1min));

  Stream with(3);
  with.at(onset, [&] { GetParam().falls_ill(with.world.endpoints[0]); });
  with.world.pass(end);
  ASSERT_TRUE(with.world.finish(1min));
  EXPECT_EQ(with.world.succeeded(), with.world.heard.size());
  EXPECT_LE(with.p99(onset, end), without.p99(onset, end) + usual / 2) << "as if the other two had always been alone";
}

TEST_P(GrayFailure, IsTriedWithOneBatchAtATime) {
  Stream stream(3);
  std::uint64_t before = 0;
  stream.at(onset, [&] { GetParam().falls_ill(stream.world.endpoints[0]); });
  // What it held when it fell ill is over by then.
  stream.at(onset + 1s, [&] { before = stream.world.endpoints[0].sends; });
  std::uint64_t most = 0;
  for (base::Duration at = onset + 3s; at < healed; at += 1ms)
    stream.at(at, [&] { most = std::max(most, stream.world.figures(0).in_flight); });
  stream.world.pass(healed);
  EXPECT_EQ(most, 1u);
  EXPECT_GE(stream.world.endpoints[0].sends, before + 1) << "but it is tried";
  EXPECT_LE(stream.world.endpoints[0].sends, before + GetParam().most_sends);
}

TEST_P(GrayFailure, ComesBackByItself) {
  Stream stream(3);
  std::uint64_t before = 0;
  stream.at(onset, [&] { GetParam().falls_ill(stream.world.endpoints[0]); });
  stream.at(healed, [&] {
    stream.world.endpoints[0].answer = acknowledging().answer;
    stream.world.endpoints[0].takes = usual;
  });
  stream.at(healed + 6s, [&] {
    before = stream.world.figures(0).acked;
    for (int i = 0; i < 1000; ++i) stream.world.publish();
  });
  stream.world.pass(end);
  EXPECT_GE(stream.world.figures(0).acked, before + 300) << "a third of them is its share";
  EXPECT_EQ(stream.world.state(0), WorkerState::connected);
}

TEST(WhenAllLookBad, AsAllTurnedSlowNoneIsShutOut) {
  Stream stream(3);
  std::vector<std::uint64_t> before;
  stream.at(onset, [&] {
    for (WorkerId id = 0; id < 3; ++id) {
      before.push_back(stream.world.figures(id).batches);
      stream.world.endpoints[id].takes = 20 * usual;
    }
  });
  stream.world.pass(healed);
  // They take five batches a second each.
  for (WorkerId id = 0; id < 3; ++id) EXPECT_GE(stream.world.figures(id).batches, before[id] + 40) << id;
}

TEST(WhenAllLookBad, AsAllFailAllAreTriedUntilTheyAreWell) {
  Stream stream(3);
  std::vector<std::uint64_t> before;
  stream.at(onset, [&] { stream.world.everywhere(failing(errc::temporary)); });
  stream.at(healed - 5s, [&] {
    for (const World::Endpoint& endpoint : stream.world.endpoints) before.push_back(endpoint.sends);
  });
  stream.at(healed, [&] {
    for (WorkerId id = 0; id < 3; ++id) EXPECT_GT(stream.world.endpoints[id].sends, before[id]) << id;
    stream.world.everywhere(acknowledging(usual));
  });
  stream.world.pass(end);
  ASSERT_TRUE(stream.world.finish(1min));
  EXPECT_EQ(stream.world.succeeded(), stream.world.heard.size());
}

// ---- windows

/// Work that never runs out, at an endpoint of so wide a line that it answers all at once after a second.
class AWideLine : public testing::Test {
 protected:
  explicit AWideLine(unsigned bound = 8)
      : world(std::make_unique<EarliestFinish>(std::vector<unsigned>{bound}), workers(bound), options()) {
    for (int i = 0; i < 1000; ++i) world.publish();
  }
  static std::vector<WorkerOptions> workers(unsigned bound) {
    WorkerOptions worker = worker_options();
    worker.window = bound;
    return {worker};
  }
  /// All that is in flight is answered, after its second on the way, a millisecond from one to the next.
  void round_trip(const PublishResult& last = PublishResult::acked()) {
    world.pass(1s);
    for (std::size_t left = world.sent.size(); left > 0; --left) {
      world.pass(1ms);
      world.answer(world.take().attempt, left > 1 ? PublishResult::acked() : last);
    }
  }
  World world;
};

TEST_F(AWideLine, IsFilledUpToTheConfiguredBoundAndTheReportSaysWhy) {
  EXPECT_EQ(world.figures(0).window, 2u);
  EXPECT_EQ(world.figures(0).window_reason, "new connection");
  round_trip();
  EXPECT_GT(world.figures(0).window, 2u);
  EXPECT_EQ(world.figures(0).window_reason, "grew: the line holds more");
  for (int i = 0; i < 5; ++i) round_trip();
  EXPECT_EQ(world.figures(0).window, 8u) << "pipelining is the upper bound";
  EXPECT_EQ(world.figures(0).window_reason, "at its bound");
}

TEST_F(AWideLine, IsHalvedByThrottlingAlsoOfAPart) {
  for (int i = 0; i < 5; ++i) round_trip();
  ASSERT_EQ(world.figures(0).window, 8u);
  PublishResult in_part;
  in_part.rest = {{0, errc::throttled}};
  world.pass(1s);
  world.answer(world.take().attempt, in_part);
  EXPECT_EQ(world.balancer.statistics(world.now).workers[0].window_reason, "one batch at a time after a failure");
  world.pass(1ms);
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_LE(world.figures(0).window, 6u) << "halved, and growing again";
}

TEST_F(AWideLine, IsNewAgainAfterEachConnect) {
  for (int i = 0; i < 5; ++i) round_trip();
  world.sent.clear();
  world.lose(0);
  world.pass(10s);
  world.answer(world.take().attempt, PublishResult::acked());
  EXPECT_LE(world.figures(0).window, 4u);
}

}  // namespace
}  // namespace windlass::core
