#include "app/test_command.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/exit_code.h"
#include "app/output.h"
#include "app/probe.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace windlass::app {
namespace {

using Probes = std::vector<std::unique_ptr<Probe>>;

std::string word_for(ProbeStep::Result result) {
  return result == ProbeStep::Result::none ? "-" : std::string(to_string(result));
}

void print_text(const Probes& probes) {
  for (const auto& probe : probes) {
    fmt::print("{}\n", probe->endpoint());
    for (const ProbeStep& step : probe->steps()) {
      const std::string time = step.milliseconds ? fmt::format(" ({:.1f} ms)", *step.milliseconds) : std::string();
      fmt::print("  {:<15} {:<7} {}{}\n", step.name, word_for(step.result), step.text, time);
      for (const std::string& detail : step.details) fmt::print("  {:<15} {:<7} {}\n", "", "", detail);
      if (!step.hint.empty()) fmt::print("  {:<15} {:<7} {}\n", "", "", step.hint);
    }
  }
  const auto passed = std::ranges::count_if(probes, [](const auto& probe) { return probe->passed(); });
  fmt::print("{} of {} endpoints passed\n", passed, probes.size());
}

void print_json(const Probes& probes, bool passed) {
  boost::json::array endpoints;
  for (const auto& probe : probes) {
    boost::json::array steps;
    for (const ProbeStep& step : probe->steps()) {
      boost::json::object one{{"step", step.name}, {"result", to_string(step.result)}, {"text", step.text}};
      if (!step.details.empty()) one["details"] = boost::json::array(step.details.begin(), step.details.end());
      if (!step.hint.empty()) one["hint"] = step.hint;
      if (step.milliseconds) one["ms"] = *step.milliseconds;
      steps.push_back(std::move(one));
    }
    endpoints.push_back({{"endpoint", probe->endpoint()}, {"passed", probe->passed()}, {"steps", std::move(steps)}});
  }
  fmt::print("{}\n",
             boost::json::serialize(boost::json::object{{"passed", passed}, {"endpoints", std::move(endpoints)}}));
}

int test_output(const OutputConfig& output, const TestOptions& options) {
  std::optional<net::TlsContext> tls;
  if (output.tls) tls = net::TlsContext::client(*output.tls);
  boost::asio::io_context context;
  net::Resolver resolver(context);
  Probes probes;
  for (const Host& host : output.hosts) {
    probes.push_back(std::make_unique<Probe>(context, resolver, host.address, output, tls, options.send_event));
    probes.back()->start();
  }
  context.run();
  const bool passed = std::ranges::all_of(probes, [](const auto& probe) { return probe->passed(); });
  if (options.json)
    print_json(probes, passed);
  else if (probes.empty())
    fmt::print("output.{} connects to nothing\n", traits_of(output.type).in_file);
  else
    print_text(probes);
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
