#include "scenario.h"

#include <cmath>
#include <fmt/format.h>
#include <initializer_list>

#include "base/random.h"

namespace windlass::sim {
namespace {

constexpr Figure all_figures[] = {
    {"wire", &Scenario::wire, 0},
    {"protocol", &Scenario::protocol, 0},
    {"workers", &Scenario::workers, 1},
    {"workers_each", &Scenario::workers_each, 1},
    {"priorities", &Scenario::priorities, 1},
    {"latency", &Scenario::latency, 1},
    {"service", &Scenario::service, 0.1},
    {"window", &Scenario::window, 1},
    {"window_adapts", &Scenario::window_adapts, 0},
    {"wait_retry", &Scenario::wait_retry, 100},
    {"wait_growth", &Scenario::wait_growth, 1},
    {"ttl", &Scenario::ttl, 0},
    {"overlap", &Scenario::overlap, 0},
    {"joins", &Scenario::joins, 0},
    {"weights", &Scenario::weights, 1},
    {"leaves", &Scenario::leaves, 0},
    {"limited", &Scenario::limited, 0},
    {"rate", &Scenario::rate, 100000},
    {"attempts", &Scenario::attempts, 0},
    {"guaranteed", &Scenario::guaranteed, 1},
    {"timeout", &Scenario::timeout, 1000},
    {"progress_timeout", &Scenario::progress_timeout, 5000},
    {"dead_letter", &Scenario::dead_letter, 0},
    {"max_duplicates", &Scenario::max_duplicates, 0},
    {"queue_events", &Scenario::queue_events, 1 << 16},
    {"queue_bytes", &Scenario::queue_bytes, 1 << 30},
    {"bulk_events", &Scenario::bulk_events, 1},
    {"bulk_bytes", &Scenario::bulk_bytes, 1 << 20},
    {"publishers", &Scenario::publishers, 1},
    {"publishes", &Scenario::publishes, 1},
    {"events", &Scenario::events, 1},
    {"event_bytes", &Scenario::event_bytes, 4},
    {"empty", &Scenario::empty, 0},
    {"each", &Scenario::each, 0},
    {"silent", &Scenario::silent, 0},
    {"urgent", &Scenario::urgent, 0},
    {"republish", &Scenario::republish, 0},
    {"faulty", &Scenario::faulty, 1000},
    {"jump", &Scenario::jump, 0},
    {"interleave", &Scenario::interleave, 0},
    {"ending", &Scenario::ending, 0},
    {"unrest", &Scenario::unrest, 0},
    {"modes", &Scenario::modes, 0},
    {"refuse", &Scenario::refuse, 0},
    {"hang", &Scenario::hang, 0},
    {"cut", &Scenario::cut, 0},
    {"idle_cut", &Scenario::idle_cut, 0},
    {"late", &Scenario::late, 0},
    {"never", &Scenario::never, 0},
    {"keep_alive", &Scenario::keep_alive, 0},
    {"partial", &Scenario::partial, 0},
    {"out_of_range", &Scenario::out_of_range, 0},
    {"repeated", &Scenario::repeated, 0},
    {"stale", &Scenario::stale, 0},
    {"fail", &Scenario::fail, 0},
    {"throttle", &Scenario::throttle, 0},
    {"hand_back", &Scenario::hand_back, 0},
    {"mixed", &Scenario::mixed, 0},
    {"poison", &Scenario::poison, 0},
    {"poisoning", &Scenario::poisoning, 0},
    {"fragment", &Scenario::fragment, 1 << 16},
    {"compression", &Scenario::compression, 0},
};

/// Draws figures of a scenario.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  bool chance(double probability) { return random_.chance(probability); }
  double one_of(std::initializer_list<double> values) { return values.begin()[random_.below(values.size())]; }
  /// Between the two, all orders of magnitude being alike; a whole number.
  double about(double from, double to) { return std::floor(from * std::pow(to / from, random_.unit())); }
  /// Mostly 0; else a chance between a thousandth and `most`.
  double fault(double most) { return chance(0.65) ? 0 : 0.001 * std::pow(most / 0.001, random_.unit()); }

 private:
  base::Random random_;
};

}  // namespace

std::span<const Figure> figures() {
  return all_figures;
}

core::Options Scenario::options() const {
  core::Options options;
  options.max_attempts = static_cast<int>(attempts);
  options.guaranteed = guaranteed > 0;
  options.timeout = time(&Scenario::timeout);
  options.progress_timeout = time(&Scenario::progress_timeout);
  options.dead_letter = dead_letter > 0;
  options.max_duplicates = max_duplicates;
  options.queue_events = static_cast<std::size_t>(queue_events);
  options.queue_bytes = static_cast<std::size_t>(queue_bytes);
  options.bulk_max_events = count(&Scenario::bulk_events);
  options.bulk_max_bytes = static_cast<std::size_t>(bulk_bytes);
  return options;
}

Scenario draw_scenario(std::uint64_t seed, Kind kind) {
  Dice dice(seed ^ 0x5eedu);
  Scenario s;
  s.seed = seed;
  const bool drawn_wire = dice.chance(0.2);
  s.wire = kind == Kind::drawn ? drawn_wire : kind == Kind::wire;

  s.workers = dice.chance(0.6) ? dice.about(1, 5) : dice.chance(0.8) ? dice.about(3, 17) : dice.about(16, 65);
  s.workers_each = dice.chance(0.8) ? 1 : dice.one_of({2, 3});
  s.priorities = dice.chance(0.8) ? 1 : dice.one_of({2, 3});
  s.latency = dice.one_of({0.05, 1, 10, 50, 300});
  s.service = dice.one_of({0, 0.01, 0.1, 1, 10});
  s.window = dice.one_of({1, 2, 2, 3, 4, 8, 64});
  s.window_adapts = dice.chance(0.3);
  s.wait_retry = dice.one_of({10, 100, 1000});
  s.wait_growth = dice.one_of({1, 8, 60});
  s.ttl = dice.chance(0.75) ? 0 : dice.one_of({200, 2000, 20000});

  s.attempts = dice.one_of({0, 1, 2, 3, 4, 4, 10});
  s.guaranteed = dice.chance(0.1);
  s.timeout = dice.one_of({500, 2000, 5000, 30000});
  s.progress_timeout = s.timeout * dice.one_of({1, 3, 10});
  s.latency = std::min(s.latency, s.timeout / 20);  // a world that is well answers in time
  s.dead_letter = dice.chance(0.5);
  s.queue_events = dice.one_of({4, 64, 1000, 4096, 65536});
  s.queue_bytes = dice.one_of({256, 10000, 1 << 20, 1 << 25});
  s.bulk_events = dice.one_of({1, 5, 50, 2048});
  s.bulk_bytes = dice.one_of({32, 1000, 1 << 16, 1 << 20});

  s.publishers = dice.about(1, 6);
  s.publishes = dice.about(10, 1500);
  s.events = dice.chance(0.4) ? 1 : dice.about(2, 40);
  s.event_bytes = dice.one_of({4, 40, 40, 300, 5000});
  s.empty = dice.fault(0.1);
  s.each = dice.one_of({0, 0.3, 1});
  s.silent = dice.one_of({0, 0.1, 0.5});
  s.urgent = dice.one_of({0, 0, 0.2});
  s.republish = dice.fault(0.5);

  s.faulty = dice.one_of({500, 5000, 30000, 300000});
  // Not so long that connecting again and again is most of what happens.
  s.faulty = std::min(s.faulty, 1000 * s.wait_retry);
  if (s.ttl > 0) s.faulty = std::min(s.faulty, 100 * s.ttl);
  s.jump = dice.fault(0.01);
  s.interleave = dice.one_of({0, 0.05, 0.5});
  s.ending = dice.one_of({0, 0, 0, 0, 1, 2, 3});

  s.unrest = dice.chance(0.5) ? 0 : dice.about(1, 20);
  s.modes = dice.about(1, 128);
  s.refuse = dice.fault(0.6);
  s.hang = dice.fault(0.3);
  s.cut = dice.fault(0.5);
  s.idle_cut = dice.fault(0.3);
  s.late = dice.fault(0.3);
  s.never = dice.fault(0.2);
  s.keep_alive = dice.fault(0.3);
  s.partial = dice.fault(0.9);
  s.out_of_range = dice.fault(0.3);
  s.repeated = dice.fault(0.5);
  s.stale = dice.fault(0.3);
  s.fail = dice.fault(0.9);
  s.throttle = dice.fault(0.9);
  s.hand_back = dice.fault(0.5);
  s.mixed = dice.fault(0.9);
  s.poison = dice.fault(0.3);
  s.fragment = dice.one_of({3, 40, 1500, 65536});
  s.compression = dice.one_of({0, 0, 1, 3});
  s.max_duplicates = dice.chance(0.6) ? 0 : dice.one_of({0.001, 0.01, 0.1, 1});
  s.overlap = dice.one_of({0, 0.5, 1});
  s.joins = dice.chance(0.6) ? 0 : dice.about(1, 9);
  s.leaves = dice.chance(0.6) ? 0 : dice.about(1, 9);
  s.poisoning = dice.one_of({0, 1, 2});
  s.weights = dice.chance(0.8) ? 1 : dice.one_of({2, 9});
  const double protocol = dice.one_of({0, 0, 0, 1, 2, 3});
  if (s.wire > 0) {
    s.protocol = protocol;
    // Every byte is really written, compressed and read: smaller worlds, or they take all of the time.
    s.publishes = std::min(s.publishes, 200.0);
    s.event_bytes = std::min(s.event_bytes, 300.0);
    if (s.fragment < 40) s.publishes = std::min(s.publishes, 40.0);
  }
  Dice of_limits(seed ^ 0x11a8u);  // by which the seeds of regressions.txt have none
  s.limited = of_limits.chance(0.75) ? 0 : of_limits.one_of({0.3, 1});
  s.rate = of_limits.one_of({2, 20, 200, 2000, 20000});
  Dice of_poison(seed ^ 0x9015u);
  if (s.poisoning == 1 && s.wire == 0 && of_poison.chance(0.5)) s.poisoning = 3;
  return s;
}

std::string describe(const Scenario& scenario) {
  std::string text;
  std::size_t line = 0;
  for (const Figure& figure : all_figures) {
    const std::string one = fmt::format("{}={:g} ", figure.name, scenario.*figure.value);
    if (line + one.size() > 110) {
      text += '\n';
      line = 0;
    }
    text += one;
    line += one.size();
  }
  return text;
}

}  // namespace windlass::sim
