#include "app/test_command.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "app/endpoint_trial.h"
#include "app/exit_code.h"
#include "app/output.h"

namespace windlass::app {
namespace {

using Trials = std::vector<Trial>;

std::string word_for(ProbeStep::Result result) {
  return result == ProbeStep::Result::none ? "-" : std::string(to_string(result));
}

void print_text(const Trials& trials) {
  for (const Trial& trial : trials) {
    fmt::print("{}\n", trial.endpoint);
    for (const ProbeStep& step : trial.steps) {
      const std::string time = step.milliseconds ? fmt::format(" ({:.1f} ms)", *step.milliseconds) : std::string();
      fmt::print("  {:<15} {:<7} {}{}\n", step.name, word_for(step.result), step.text, time);
      for (const std::string& detail : step.details) fmt::print("  {:<15} {:<7} {}\n", "", "", detail);
      if (!step.hint.empty()) fmt::print("  {:<15} {:<7} {}\n", "", "", step.hint);
    }
  }
  // A service that was found is no endpoint, but its targets are.
  const auto failed = std::ranges::count(trials, false, &Trial::passed);
  const auto passed =
      std::ranges::count_if(trials, [](const Trial& trial) { return trial.passed && !trial.is_service; });
  fmt::print("{} of {} endpoints passed\n", passed, passed + failed);
}

void print_json(const Trials& trials, bool passed) {
  boost::json::array endpoints;
  for (const Trial& trial : trials) {
    boost::json::array steps;
    for (const ProbeStep& step : trial.steps) {
      boost::json::object one{{"step", step.name}, {"result", to_string(step.result)}, {"text", step.text}};
      if (!step.details.empty()) one["details"] = boost::json::array(step.details.begin(), step.details.end());
      if (!step.hint.empty()) one["hint"] = step.hint;
      if (step.milliseconds) one["ms"] = *step.milliseconds;
      steps.push_back(std::move(one));
    }
    endpoints.push_back({{"endpoint", trial.endpoint}, {"passed", trial.passed}, {"steps", std::move(steps)}});
  }
  fmt::print("{}\n",
             boost::json::serialize(boost::json::object{{"passed", passed}, {"endpoints", std::move(endpoints)}}));
}

int test_output(const OutputConfig& output, const TestOptions& options) {
  const Trials trials = try_endpoints(output, options.send_event);
  const bool passed = std::ranges::all_of(trials, &Trial::passed);
  if (options.json)
    print_json(trials, passed);
  else if (trials.empty())
    fmt::print("output.{} connects to nothing\n", traits_of(output.type).in_file);
  else
    print_text(trials);
  std::fflush(stdout);
  return passed ? exit_all_acked : exit_incomplete;
}

}  // namespace

int run_test(const TestOptions& options) {
  const Config config = read_config(options.sources);
  for (const std::string& warning : config.warnings)
    fmt::print(options.json ? stderr : stdout, "warning: {}\n", warning);
  if (options.what == TestOptions::What::output) return test_output(config.output, options);
  fmt::print("configuration is fine\n");
  return exit_all_acked;
}

}  // namespace windlass::app
