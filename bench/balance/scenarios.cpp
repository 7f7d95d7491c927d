#include "scenarios.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/random.h"

namespace windlass::bench {
namespace {

// --------------------------------------------------------------------------------------------------- what is drawn

using Draw = double (*)(base::Random&);

double exponential(base::Random& random) {
  return -std::log1p(-random.unit());
}

/// Mean 1, variation 0.5.
double usual(base::Random& random) {
  return (exponential(random) + exponential(random) + exponential(random) + exponential(random)) / 4;
}

double one(base::Random&) {
  return 1;
}

/// Mean 1, variation 2: most are small, and a few are twenty times the average.
double heavy(base::Random& random) {
  const double spread = std::log(1 + 2.0 * 2.0);
  const double normal = std::sqrt(2 * exponential(random)) * std::cos(2 * std::numbers::pi * random.unit());
  return std::exp(std::sqrt(spread) * normal - spread / 2);
}

double between(base::Random& random, double low, double high) {
  return low * std::pow(high / low, random.unit());
}

// ------------------------------------------------------------------------------------------------------- what is made

enum class Arrivals {
  poisson,
  bursts,   ///< four at a time
  at_once,  ///< all at the beginning
};

struct Plan {
  double load = 0.7;  ///< of the capacity of all endpoints
  std::size_t pieces = 20000;
  Draw service = usual;
  Draw size = one;
  Arrivals arrivals = Arrivals::poisson;
  double ack_timeout = 1e6;
  std::size_t least = 0;  ///< pieces at any scale
  double max_duplicates = 0;
  std::size_t in_order = 0;
  bool redrawn = false;  ///< the endpoint makes the service time, not the batch: a second copy takes another one
};

double capacity(const std::vector<Endpoint>& endpoints) {
  return std::accumulate(endpoints.begin(), endpoints.end(), 0.0,
                         [](double sum, const Endpoint& endpoint) { return sum + endpoint.capacity; });
}

World make(std::vector<Endpoint> endpoints, const Plan& plan, std::uint64_t seed, double scale) {
  base::Random random(seed);
  base::Random second_draws(seed + 4000);
  World world;
  world.ack_timeout = plan.ack_timeout;
  world.max_duplicates = plan.max_duplicates;
  world.in_order = plan.in_order;
  const double rate = plan.load * capacity(endpoints);
  world.endpoints = std::move(endpoints);
  const auto pieces = std::max(plan.least, static_cast<std::size_t>(static_cast<double>(plan.pieces) * scale));
  double now = 0.2;
  for (std::size_t i = 0; i < pieces; ++i) {
    if (plan.arrivals == Arrivals::poisson) now += exponential(random) / rate;
    if (plan.arrivals == Arrivals::bursts && i % 4 == 0) now += 4 * exponential(random) / rate;
    const double size = plan.size(random);
    const double effort = size * plan.service(random);
    world.work.push_back({now, effort, plan.redrawn ? size * plan.service(second_draws) : effort, size});
  }
  return world;
}

std::vector<Endpoint> equal(std::size_t count) {
  return std::vector<Endpoint>(count);
}

std::vector<Endpoint> one_one_ten() {
  return {{100}, {100}, {1000}};
}

std::vector<Endpoint> near_and_far() {
  return {{1000, 0.0001}, {1000, 0.05}};
}

std::vector<Endpoint> mixed(std::size_t count, base::Random& random) {
  std::vector<Endpoint> endpoints;
  for (std::size_t i = 0; i < count; ++i)
    endpoints.push_back({between(random, 100, 3000), between(random, 0.0001, 0.01)});
  return endpoints;
}

auto usual_world(std::vector<Endpoint> (*endpoints)(), Plan plan) {
  return [=](std::uint64_t seed, double scale) { return make(endpoints(), plan, seed, scale); };
}

auto mixed_world(std::size_t count, Plan plan) {
  return [=](std::uint64_t seed, double scale) {
    base::Random random(seed + 1000);
    return make(mixed(count, random), plan, seed, scale);
  };
}

// ------------------------------------------------------------------------------------------------- what is measured

/// Of the batches that arrived in [from, until), after the first quarter of all, how long each took.
std::vector<double> times(const World& world, const Outcome& outcome, double from = 0, double until = forever) {
  std::vector<double> times;
  for (std::size_t i = world.work.size() / 4; i < world.work.size(); ++i) {
    const double arrival = world.work[i].arrival;
    if (arrival >= from && arrival < until) times.push_back(outcome.signalled[i] - arrival);
  }
  return times;
}

Measure quantile(const char* name, double part) {
  return {name, "ms", [=](const World& world, const Outcome& outcome) {
            std::vector<double> all = times(world, outcome);
            const auto place = all.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(all.size() - 1));
            std::nth_element(all.begin(), place, all.end());
            return 1e3 * *place;
          }};
}

Measure mean() {
  return {"mean", "ms", [](const World& world, const Outcome& outcome) {
            const std::vector<double> all = times(world, outcome);
            return 1e3 * std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
          }};
}

Measure worst(double from = 0, double until = forever) {
  return {until < forever ? "worst at onset" : "max", "ms", [=](const World& world, const Outcome& outcome) {
            const std::vector<double> all = times(world, outcome, from, until);
            return all.empty() ? 0 : 1e3 * *std::max_element(all.begin(), all.end());
          }};
}

Measure makespan() {
  return {"makespan", "ms", [](const World& world, const Outcome& outcome) {
            return 1e3 *
                   (*std::max_element(outcome.signalled.begin(), outcome.signalled.end()) - world.work.front().arrival);
          }};
}

double served_between(const Outcome& outcome, std::size_t endpoint, double from, double until) {
  double sum = 0;
  for (const Outcome::Served& served : outcome.served[endpoint])
    if (served.at >= from && served.at < until) sum += served.effort;
  return sum;
}

/// Of the capacity of all endpoints, while work never ran out.
Measure share() {
  return {"share", "", [](const World& world, const Outcome& outcome) {
            const double last = world.work.back().arrival;
            const double from = 0.2 * last;
            const double until = 0.95 * last;
            double sum = 0;
            for (std::size_t i = 0; i < world.endpoints.size(); ++i) sum += served_between(outcome, i, from, until);
            return sum / (capacity(world.endpoints) * (until - from));
          }};
}

/// From `since` until the endpoint is as busy as nine tenths of the average of the others, over `window` seconds.
Measure time_to_share(std::size_t endpoint, double since, double window) {
  return {"to its share", "ms", [=](const World& world, const Outcome& outcome) {
            for (double from = since; from < world.work.back().arrival; from += window / 10) {
              double others = 0;
              double capacity_of_others = 0;
              for (std::size_t i = 0; i < world.endpoints.size(); ++i) {
                if (i == endpoint) continue;
                others += served_between(outcome, i, from, from + window);
                capacity_of_others += world.endpoints[i].capacity;
              }
              const double own = served_between(outcome, endpoint, from, from + window);
              if (own / world.endpoints[endpoint].capacity >= 0.9 * others / capacity_of_others)
                return 1e3 * (from - since);
            }
            return 1e3 * (world.work.back().arrival - since);
          }};
}

/// Of the capacity that is left while an endpoint is in trouble, what was acknowledged between the two moments.
Measure share_of_what_is_left(double from, double until) {
  return {"share", "", [=](const World& world, const Outcome& outcome) {
            double left = capacity(world.endpoints) * (until - from);
            for (const Endpoint& endpoint : world.endpoints)
              for (const Trouble& trouble : endpoint.troubles)
                left -= endpoint.capacity * (1 - trouble.speed) *
                        std::max(0.0, std::min(until, trouble.until) - std::max(from, trouble.from));
            double done = 0;
            for (std::size_t i = 0; i < world.work.size(); ++i)
              if (outcome.signalled[i] >= from && outcome.signalled[i] < until) done += world.work[i].effort;
            return done / left;
          }};
}

Measure duplicates() {
  return {"duplicates", "%", [](const World& world, const Outcome& outcome) {
            return 100 * static_cast<double>(outcome.duplicates) / static_cast<double>(world.work.size());
          }};
}

// ---------------------------------------------------------------------------------------------------------- the table

constexpr auto of_clairvoyant = Goal::Kind::ratio_to_clairvoyant;
constexpr auto at_most = Goal::Kind::at_most;
constexpr auto at_least = Goal::Kind::at_least;

Scenario latency(std::string name, std::function<World(std::uint64_t, double)> world, double bound) {
  return {std::move(name), std::move(world), {{quantile("p99", 0.99), of_clairvoyant, bound}}};
}

std::vector<Endpoint> three_equal() {
  return equal(3);
}

std::vector<Endpoint> one_browns_out() {
  std::vector<Endpoint> endpoints = equal(3);
  endpoints[0].troubles.push_back({20, 30, 1 / 20.0});
  return endpoints;
}

std::vector<Endpoint> one_falls_silent() {
  std::vector<Endpoint> endpoints = equal(3);
  endpoints[0].troubles.push_back({20, 40, 0, true});
  return endpoints;
}

World pausing(std::uint64_t seed, double scale) {
  base::Random random(seed + 2000);
  std::vector<Endpoint> endpoints = equal(3);
  for (Endpoint& endpoint : endpoints)
    for (double at = 5 * exponential(random); at < 200; at += 0.2 + 5 * exponential(random))
      endpoint.troubles.push_back({at, at + 0.2, 0});
  return make(std::move(endpoints), {.load = 0.5, .max_duplicates = 0.01}, seed, scale);
}

std::function<World(std::uint64_t, double)> joining(double round_trip) {
  return [=](std::uint64_t seed, double) {
    std::vector<Endpoint> endpoints = {{1000, 0.001}, {1000, 0.001}, {1000, round_trip, 1}};
    return make(std::move(endpoints), {.load = 1.2, .pieces = 12000}, seed, 1);
  };
}

std::function<World(std::uint64_t, double)> saturated(Draw service) {
  return [=](std::uint64_t seed, double scale) {
    base::Random random(seed + 3000);
    const std::size_t count = 2 + random.below(7);
    std::vector<Endpoint> endpoints;
    for (std::size_t i = 0; i < count; ++i)
      endpoints.push_back({between(random, 20, 2000), between(random, 0.0001, 0.1)});
    const auto pieces = static_cast<std::size_t>(12 * 1.3 * capacity(endpoints));
    return make(std::move(endpoints), {.load = 1.3, .pieces = pieces, .service = service}, seed, std::max(scale, 0.5));
  };
}

std::vector<Scenario> make_scenarios() {
  const Plan at30{.load = 0.3};
  const Plan at70{.load = 0.7};
  const Plan at95{.load = 0.95, .pieces = 40000};
  const auto bursts = [](double load) { return Plan{.load = load, .pieces = 40000, .arrivals = Arrivals::bursts}; };
  const Plan small_job{.pieces = 300, .arrivals = Arrivals::at_once, .least = 300};
  const Plan in_order{.pieces = 12000,
                      .arrivals = Arrivals::at_once,
                      .ack_timeout = 5,
                      .least = 12000,
                      .max_duplicates = 0.01,
                      .in_order = 48};
  const Plan far_job{.pieces = 500, .arrivals = Arrivals::at_once, .least = 500};
  const Goal p99_of_1_05{quantile("p99", 0.99), of_clairvoyant, 1.05};
  return {
      latency("3 equal, 70 %", usual_world(three_equal, at70), 1.10),
      latency("16 equal, 70 %", usual_world([] { return equal(16); }, at70), 1.05),
      latency("1:1:10, 30 %", usual_world(one_one_ten, at30), 1.1),
      latency("1:1:10, 70 %", usual_world(one_one_ten, at70), 1.2),
      latency("1:1:10, 95 %", usual_world(one_one_ten, at95), 1.15),
      latency("1:1:10 exponential, 70 %", usual_world(one_one_ten, {.service = exponential}), 1.5),
      latency("0.1 and 50 ms, 30 %", usual_world(near_and_far, at30), 1.1),
      {"0.1 and 50 ms, 70 %", usual_world(near_and_far, at70), {{mean(), at_most, 20}, p99_of_1_05}},
      latency("0.1 and 50 ms, 95 %", usual_world(near_and_far, at95), 1.10),
      latency("mixed 16, 70 %", mixed_world(16, at70), 1.15),
      {"mixed 16, 95 %",
       mixed_world(16, at95),
       {{mean(), of_clairvoyant, 1.15}, {quantile("p99", 0.99), of_clairvoyant, 1.15}}},
      {"mixed 256, 70 %",
       mixed_world(256, {.load = 0.7, .pieces = 200000}),
       {{quantile("p99", 0.99), of_clairvoyant, 1.3}},
       "",
       0.34},
      {"mixed 256, 95 %",
       mixed_world(256, {.load = 0.95, .pieces = 200000}),
       {{mean(), Goal::Kind::ratio_to_best_rival, 1}, {quantile("p99", 0.99), Goal::Kind::ratio_to_best_rival, 1}},
       "",
       0.34},
      latency("bursts of 4, 30 %", usual_world(three_equal, bursts(0.3)), 1.05),
      latency("bursts of 4, 70 %", usual_world(three_equal, bursts(0.7)), 1.05),
      latency("bursts of 4, 95 %", usual_world(three_equal, bursts(0.95)), 1.05),
      {"heavy service times, 70 %",
       usual_world(three_equal, {.service = heavy, .max_duplicates = 0.008, .redrawn = true}),
       {{quantile("p99", 0.99), of_clairvoyant, 1.1}, {duplicates(), at_most, 1}}},
      {"heavy batches, 70 %",
       usual_world(three_equal, {.service = heavy, .max_duplicates = 0.008}),
       {{quantile("p99", 0.99), of_clairvoyant, 1.3}, {duplicates(), at_most, 1}}},
      latency("heavy sizes, 70 %", usual_world(three_equal, {.service = usual, .size = heavy}), 1.2),
      {"brown-out 20 times",
       usual_world(one_browns_out, {.load = 0.5, .pieces = 9000, .least = 9000, .max_duplicates = 0.01}),
       {{quantile("p99.9", 0.999), of_clairvoyant, 1.15},
        {worst(19.5, 21), of_clairvoyant, 1.5},
        {time_to_share(0, 30, 0.5), at_most, 1000}},
       "",
       3},
      {"black hole, ack timeout 5 s",
       usual_world(one_falls_silent,
                   {.load = 0.5, .pieces = 9000, .ack_timeout = 5, .least = 9000, .max_duplicates = 0.01}),
       {{worst(), of_clairvoyant, 1.2}, {duplicates(), at_most, 0.2}},
       "",
       3},
      {"pauses of 200 ms on 3", pausing, {{quantile("p99.9", 0.999), of_clairvoyant, 1.3}}, "", 3},
      {"48 in order, brown-out",
       usual_world(one_browns_out, in_order),
       {{share_of_what_is_left(15, 30), at_least, 0.95}},
       "worst of the seeds"},
      {"48 in order, black hole",
       usual_world(one_falls_silent, in_order),
       {{share_of_what_is_left(15, 30), at_least, 0.995}},
       "worst of the seeds"},
      {"job of 0.25 s, 1:1:10", usual_world(one_one_ten, small_job), {{makespan(), of_clairvoyant, 1.03}}},
      {"job of 0.25 s, 0.1 and 50 ms", usual_world(near_and_far, far_job), {{makespan(), of_clairvoyant, 1.1}}},
      {"join, near", joining(0.001), {{time_to_share(2, 1.0, 0.1), at_most, 5}}},
      {"join, 50 ms", joining(0.05), {{time_to_share(2, 1.0, 0.1), at_most, 250}}},
      {"saturated mixes, variation 0.5", saturated(usual), {{share(), at_least, 0.995}}, "worst of the seeds"},
      {"saturated mixes, variation 1", saturated(exponential), {{share(), at_least, 0.985}}, "worst of the seeds"},
  };
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = make_scenarios();
  return all;
}

}  // namespace windlass::bench
