// windlass-sim: simulates the balancer, seed by seed, and holds every run to the rules of delivery.
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "shrink.h"
#include "violation.h"
#include "world.h"

#ifdef WINDLASS_PLANTS
#include "plants.h"
#endif

namespace windlass::sim {
namespace {

constexpr const char* usage =
    R"(Simulates the balancer and its conversations, one run a seed, and checks every step.

  windlass-sim [--seeds A..B | --seed N | --seconds S | --file PATH] [options]

  --seeds A..B         runs these seeds
  --seed N             runs one, and prints its world and the hash of its steps
  --seconds S          runs as many seeds as fit, from the first of --seeds (default 1)
  --file PATH          runs the seeds of a file: a line is a seed, then name=value pairs; # begins a comment
  --world NAME         balancer (endpoints answer for batches), wire (a protocol over bytes); default: the seed decides
  --set NAME=VALUE     changes a figure of the world; may be repeated
  --trace              prints every step
  --check-determinism  runs each seed twice; the hash must be the same
  --shrink             after a failure, looks for a simpler world that fails likewise
)"
#ifdef WINDLASS_PLANTS
    R"(  --plant NAME         plants a bug; to find it is success
  --plants             lists the bugs that can be planted
)"
#endif
    ;

struct Settings {
  std::uint64_t first = 1;
  std::uint64_t last = 1000;
  std::optional<double> seconds;
  std::string file;
  Kind kind = Kind::drawn;
  Changes changes;
  bool one = false;
  bool trace = false;
  bool twice = false;
  bool shrink = false;
  bool bug_is_planted = false;
};

/// What is being run, for the handler of aborts.
struct Running {
  const World* world = nullptr;
  Case what;
  bool bug_is_planted = false;
} running;

std::string command(const Case& what) {
  std::string text = fmt::format("windlass-sim --seed {}", what.seed);
  if (what.kind != Kind::drawn) text += what.kind == Kind::wire ? " --world wire" : " --world balancer";
  for (const Change& change : what.changes) text += fmt::format(" --set {}={}", change.figure->name, change.value);
  return text;
}

void print_failure(const Case& what, const Trace& trace, const std::string& problem) {
  if (running.bug_is_planted) return fmt::print("seed {}: {}\n", what.seed, problem);
  fmt::print("\nThe last steps:\n");
  trace.write_last(stdout);
  fmt::print("\nFAILED  seed {}: {}\n", what.seed, problem);
  fmt::print("again:  {} --trace\n", command(what));
}

/// An assertion of the core failed: tell where, as for any other failure.
void on_abort(int) {
  if (running.world) print_failure(running.what, running.world->trace(), "an assertion failed (see above)");
  std::fflush(stdout);
  _exit(running.bug_is_planted ? 0 : 1);
}

struct Totals {
  std::uint64_t seeds = 0;
  std::uint64_t steps = 0;
  std::uint64_t acked = 0;
  double virtual_hours = 0;
};

/// Answers with whether it went well.
bool run(const Settings& settings, const Case& what, Totals& totals) {
  const Scenario scenario = make_scenario(what);
  if (settings.one) fmt::print("{}\n", describe(scenario));
  World world(scenario, settings.trace ? stdout : nullptr);
  running.world = &world;
  running.what = what;
  Report report;
  try {
    report = world.run();
  } catch (const Violation& violation) {
    running.world = nullptr;
    totals.steps += world.trace().steps();
    print_failure(what, world.trace(), violation.what());
    if (settings.shrink) fmt::print("simpler: {}\n", command(shrink(what, violation.rule())));
    return false;
  }
  running.world = nullptr;
  ++totals.seeds;
  totals.steps += report.steps;
  totals.acked += report.acked;
  totals.virtual_hours += std::chrono::duration<double, std::ratio<3600>>(report.virtual_time).count();
  if (settings.one)
    fmt::print("seed {}: {} steps, {:.3f} virtual seconds, hash {:016x}\n", what.seed, report.steps,
               std::chrono::duration<double>(report.virtual_time).count(), report.hash);
  if (settings.twice) {
    const Report again = World(scenario, nullptr).run();
    if (again.hash != report.hash || again.steps != report.steps) {
      fmt::print("FAILED  seed {}: the second run differs: hash {:016x}, then {:016x}\n", what.seed, report.hash,
                 again.hash);
      return false;
    }
  }
  return true;
}

[[noreturn]] void refuse(const std::string& why) {
  fmt::print(stderr, "windlass-sim: {}\n\n{}", why, usage);
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse(fmt::format("'{}' is no number", text));
  return value;
}

Change change(const std::string& text) {
  const std::optional<Change> parsed = parse_change(text);
  if (!parsed) refuse(fmt::format("'{}' is no figure of a world with a value", text));
  return *parsed;
}

Settings parse(int count, char** arguments) {
  Settings settings;
  for (int index = 1; index < count; ++index) {
    const std::string_view option = arguments[index];
    const auto value = [&]() -> std::string {
      if (++index >= count) refuse(fmt::format("{} needs a value", option));
      return arguments[index];
    };
    if (option == "--seeds") {
      const std::string range = value();
      const std::size_t dots = range.find("..");
      if (dots == std::string::npos) refuse("--seeds needs a range such as 1..1000");
      settings.first = number(std::string_view(range).substr(0, dots));
      settings.last = number(std::string_view(range).substr(dots + 2));
    } else if (option == "--seed") {
      settings.first = settings.last = number(value());
      settings.one = true;
    } else if (option == "--seconds") {
      settings.seconds = static_cast<double>(number(value()));
    } else if (option == "--file") {
      settings.file = value();
    } else if (option == "--world") {
      const std::string world = value();
      if (world != "balancer" && world != "wire") refuse("--world is balancer or wire");
      settings.kind = world == "wire" ? Kind::wire : Kind::balancer;
    } else if (option == "--set") {
      settings.changes.push_back(change(value()));
    } else if (option == "--trace") {
      settings.trace = true;
    } else if (option == "--check-determinism") {
      settings.twice = true;
    } else if (option == "--shrink") {
      settings.shrink = true;
#ifdef WINDLASS_PLANTS
    } else if (option == "--plant") {
      const std::string name = value();
      if (!plant(name)) refuse(fmt::format("there is no bug of the name '{}'", name));
      settings.bug_is_planted = true;
    } else if (option == "--plants") {
      for (const PlantedBug& bug : planted_bugs) fmt::print("{}: {}\n", bug.name, bug.story);
      std::exit(0);
#endif
    } else if (option == "--help") {
      fmt::print("{}", usage);
      std::exit(0);
    } else {
      refuse(fmt::format("unknown option {}", option));
    }
  }
  return settings;
}

std::vector<Case> read_cases(const std::string& path) {
  std::ifstream file(path);
  if (!file) refuse(fmt::format("{} cannot be read", path));
  std::vector<Case> cases;
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t comment = line.find('#');
    if (comment != std::string::npos) line.resize(comment);
    std::istringstream words(line);
    std::string word;
    if (!(words >> word)) continue;
    Case& what = cases.emplace_back();
    what.seed = number(word);
    while (words >> word) what.changes.push_back(change(word));
  }
  return cases;
}

int main(int count, char** arguments) {
  const Settings settings = parse(count, arguments);
  running.bug_is_planted = settings.bug_is_planted;
  std::signal(SIGABRT, on_abort);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  Totals totals;
  bool well = true;
  if (!settings.file.empty()) {
    for (const Case& what : read_cases(settings.file)) well = run(settings, what, totals) && well;
  } else {
    for (std::uint64_t seed = settings.first; well; ++seed) {
      if (settings.seconds ? elapsed() >= *settings.seconds : seed > settings.last) break;
      well = run(settings, {seed, settings.kind, settings.changes}, totals);
    }
  }
  const double seconds = elapsed();
  if (settings.bug_is_planted) {
    fmt::print("{} after {} steps, {:.3f} s\n", well ? "NOT FOUND" : "found", totals.steps, seconds);
    return well ? 1 : 0;
  }
  const double cpu_seconds = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  fmt::print(
      "{} seeds, {} steps, {} events acked, {:.1f} virtual hours in {:.2f} s: {:.2f} million steps a CPU second\n",
      totals.seeds, totals.steps, totals.acked, totals.virtual_hours, seconds,
      static_cast<double>(totals.steps) / cpu_seconds / 1e6);
  return well ? 0 : 1;
}

}  // namespace
}  // namespace windlass::sim

int main(int count, char** arguments) {
  return windlass::sim::main(count, arguments);
}
