// bench_balance: every policy in every scenario, beside the goals.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/earliest_finish.h"
#include "plot.h"
#include "rivals.h"
#include "scenarios.h"

namespace windlass::bench {
namespace {

constexpr const char* usage =
    R"(Runs the balancer under several policies in modelled worlds, and prints what each reaches.

  bench_balance [options]

  --scenario TEXT   only scenarios whose names contain it
  --policy NAME     only this one beside the clairvoyant: "earliest finish" or a rival; may be repeated
  --seeds N         worlds a scenario (default 5)
  --first-seed N    (default 1)
  --scale X         of the usual amount of work (default 1)
  --quick           one seed, little work
  --svg DIR         writes the plots there

A figure is the median over the seeds; the share of saturated worlds is the worst.
)";

struct Settings {
  std::string scenario;
  std::vector<std::string> policies;
  unsigned seeds = 5;
  std::uint64_t first_seed = 1;
  double scale = 1;
  std::string svg;
};

constexpr const char* ours = "earliest finish";
constexpr const char* clairvoyant = "clairvoyant";

std::vector<Rival> policies(const Settings& settings) {
  std::vector<Rival> all = rivals();
  all.push_back({ours, [](const std::vector<unsigned>& windows, std::uint64_t) {
                   return std::make_unique<core::EarliestFinish>(windows);
                 }});
  if (settings.policies.empty()) return all;
  std::erase_if(all, [&](const Rival& one) {
    return std::find(settings.policies.begin(), settings.policies.end(), one.name) == settings.policies.end();
  });
  return all;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t size = values.size();
  return size % 2 == 1 ? values[size / 2] : (values[size / 2 - 1] + values[size / 2]) / 2;
}

double summed_up(const Goal& goal, const std::vector<double>& values) {
  return goal.kind == Goal::Kind::at_least ? *std::min_element(values.begin(), values.end()) : median(values);
}

/// By goal of a scenario and policy, the figures of all seeds.
using Figures = std::vector<std::map<std::string, std::vector<double>>>;

std::string goal_text(const Goal& goal) {
  switch (goal.kind) {
    case Goal::Kind::ratio_to_clairvoyant:
      return fmt::format("<= {:.2f} x clairv.", goal.bound);
    case Goal::Kind::at_most:
      return fmt::format("<= {} {}", goal.bound, goal.measure.unit);
    case Goal::Kind::at_least:
      return fmt::format(">= {}", goal.bound);
    case Goal::Kind::ratio_to_best_rival:
      return "<= best rival";
  }
  return {};
}

/// How our figure compares with what the goal refers to, and whether that is enough.
struct Verdict {
  std::string ratio;
  bool met = false;
};

Verdict judge(const Goal& goal, const std::map<std::string, std::vector<double>>& figures) {
  const auto found = figures.find(ours);
  if (found == figures.end()) return {};
  const double own = summed_up(goal, found->second);
  if (goal.kind == Goal::Kind::at_most) return {"", own <= goal.bound};
  if (goal.kind == Goal::Kind::at_least) return {"", own >= goal.bound};
  double other = forever;
  for (const auto& [name, values] : figures) {
    const bool counts =
        goal.kind == Goal::Kind::ratio_to_clairvoyant ? name == clairvoyant : name != ours && name != clairvoyant;
    if (counts) other = std::min(other, summed_up(goal, values));
  }
  return {fmt::format("{:.2f}", own / other), own <= 1.005 * goal.bound * other};
}

std::string figure_text(double value) {
  if (value >= 1000) return fmt::format("{:.0f}", value);
  if (value >= 100) return fmt::format("{:.1f}", value);
  if (value >= 2) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3f}", value);
}

void run_all(const Settings& settings) {
  const std::vector<Rival> all = policies(settings);
  std::string header = fmt::format("| {:<30} | {:<14} | {:>11} |", "scenario", "measure", clairvoyant);
  for (const Rival& policy : all) header += fmt::format(" {:>11} |", policy.name == ours ? "earliest f." : policy.name);
  header += fmt::format(" {:<16} | {:>5} | {:<4} |", "goal", "ratio", "met");
  std::string rule = header;
  for (char& character : rule)
    if (character != '|') character = '-';
  fmt::print("{}\n{}\n", header, rule);

  std::vector<Row> rows;
  std::map<std::string, double> slowest_choice;
  unsigned met = 0;
  unsigned goals = 0;
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name.find(settings.scenario) == std::string::npos) continue;
    Figures figures(scenario.goals.size());
    const auto seeds = std::max(1u, static_cast<unsigned>(std::lround(settings.seeds * scenario.seeds)));
    for (std::uint64_t seed = settings.first_seed; seed < settings.first_seed + seeds; ++seed) {
      const World world = scenario.make(seed, settings.scale);
      const auto note = [&](const std::string& policy, const Outcome& outcome) {
        for (std::size_t i = 0; i < scenario.goals.size(); ++i)
          figures[i][policy].push_back(scenario.goals[i].measure.take(world, outcome));
      };
      note(clairvoyant, run_clairvoyant(world));
      for (const Rival& policy : all) {
        const Outcome outcome = run(world, policy.make, seed);
        note(policy.name, outcome);
        if (policy.name == ours) slowest_choice[scenario.name] = outcome.choose_seconds;
      }
    }
    for (std::size_t i = 0; i < scenario.goals.size(); ++i) {
      const Goal& goal = scenario.goals[i];
      Row row{scenario.name, goal.measure.name, {}};
      std::string line = fmt::format("| {:<30} | {:<14} | {:>11} |", i == 0 ? scenario.name : "",
                                     goal.measure.name + (goal.measure.unit.empty() ? "" : " " + goal.measure.unit),
                                     figure_text(summed_up(goal, figures[i][clairvoyant])));
      for (const Rival& policy : all)
        line += fmt::format(" {:>11} |", figure_text(summed_up(goal, figures[i][policy.name])));
      for (const auto& [name, values] : figures[i]) row.figures[name] = summed_up(goal, values);
      rows.push_back(std::move(row));
      const Verdict verdict = judge(goal, figures[i]);
      ++goals;
      met += verdict.met;
      line += fmt::format(" {:<16} | {:>5} | {:<4} |{}", goal_text(goal), verdict.ratio, verdict.met ? "yes" : "NO",
                          scenario.remark.empty() ? "" : " " + scenario.remark);
      fmt::print("{}\n", line);
      std::fflush(stdout);
    }
  }
  fmt::print("\n{} of {} goals met. A choice took, in microseconds:", met, goals);
  for (const auto& [name, seconds] : slowest_choice)
    if (name.find("70 %") != std::string::npos) fmt::print(" {} {:.2f};", name, 1e6 * seconds);
  fmt::print("\n");
  if (!settings.svg.empty()) write_plots(settings.svg, rows);
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Settings> settings_of(const std::vector<std::string_view>& arguments) {
  Settings settings;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (name == "--quick") {
      settings.seeds = 1;
      settings.scale = 0.1;
      continue;
    }
    if (++i == arguments.size()) return std::nullopt;
    const std::string_view value = arguments[i];
    if (name == "--scenario") {
      settings.scenario = value;
    } else if (name == "--policy") {
      settings.policies.emplace_back(value);
    } else if (name == "--svg") {
      settings.svg = value;
    } else if (name == "--seeds" && number<unsigned>(value).value_or(0) > 0) {
      settings.seeds = *number<unsigned>(value);
    } else if (name == "--first-seed" && number<std::uint64_t>(value)) {
      settings.first_seed = *number<std::uint64_t>(value);
    } else if (name == "--scale" && number<double>(value).value_or(0) > 0) {
      settings.scale = *number<double>(value);
    } else {
      return std::nullopt;
    }
  }
  return settings;
}

}  // namespace
}  // namespace windlass::bench

int main(int argc, char** argv) {
  const auto settings = windlass::bench::settings_of({argv + 1, argv + argc});
  if (!settings) {
    std::fputs(windlass::bench::usage, stderr);
    return 2;
  }
  windlass::bench::run_all(*settings);
}
