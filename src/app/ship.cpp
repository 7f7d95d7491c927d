#include "app/ship.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <spdlog/spdlog.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <windlass/load_balancer.h>

#include "app/attend.h"
#include "app/balancing.h"
#include "app/config_reader.h"
#include "app/endpoint_watch.h"
#include "app/exit_code.h"
#include "app/follow.h"
#include "app/input_pump.h"
#include "app/log.h"
#include "app/report.h"
#include "app/signals.h"
#include "app/watch.h"

namespace windlass::app {
namespace {

using Clock = std::chrono::steady_clock;

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

bool open_inputs(const std::vector<std::string>& paths, std::vector<Input>& inputs) {
  bool all = true;
  for (const std::string& path : paths) {
    Input input;
    if (const std::error_code error = Input::open(path, input)) {
      spdlog::error("{}: {}", path, error.message());
      all = false;
    } else {
      inputs.push_back(std::move(input));
    }
  }
  return all;
}

bool complete(const Report& report) {
  return report.statistics.ledger.acked == report.statistics.ledger.accepted && report.input.refused_lines == 0 &&
         report.input.failed_inputs == 0;
}

}  // namespace

int run_ship(const ShipOptions& options) {
  const auto start = Clock::now();
  const Config config = read_config(options.sources);
  heed(config);

  const std::vector<std::string>& paths = options.inputs.empty() ? config.paths : options.inputs;
  if (paths.empty() && config.inputs.empty()) {
    spdlog::error("nothing to ship: name files, or - for standard input, or give inputs in the configuration");
    return exit_usage;
  }
  if (!paths.empty() && !config.inputs.empty())
    spdlog::warn("the files of inputs are not followed, as others are named");
  std::vector<Input> inputs;
  if (!open_inputs(paths, inputs)) return exit_usage;
  LoadBalancerOptions balancing = balancer_options(config);
  const std::unique_ptr<DeadLetterFile> dead_letters = keep_dead_letters(config, balancing);
  std::optional<Follow> follow;
  if (paths.empty()) follow.emplace(config, Follow::Options{options.once, options.json, host_name()});

  // As for any filter: when the reader of standard output is gone, so are we. Sockets never raise it.
  if (config.output.type == OutputType::console) std::signal(SIGPIPE, SIG_DFL);
  // Before any thread starts, so that all of them leave the signals to this one.
  Signals signals;
  Watch watch;
  watch.hear_of(balancing);
  EndpointWatch endpoints(config.output, watch);
  LoadBalancer balancer(endpoints.workers(), std::move(balancing));
  const auto changing = endpoints.start(balancer);
  InputPump pump(balancer, {options.json, host_name(), config.queue.events, config.queue.bytes});

  bool read_all = false;
  std::atomic<bool> done{false};
  auto work = std::async(std::launch::async, [&] {
    read_all = follow ? follow->run(balancer) : pump.run(inputs);
    balancer.drain(std::chrono::nanoseconds::max());
    done.store(true);
    signals.wake();
  });
  attend(signals, watch, balancer, done, config.shutdown_timeout, [&] {
    pump.stop();
    if (follow) follow->stop();
  });
  work.get();

  Report report;
  report.statistics = balancer.statistics();
  if (report.statistics.disk) watch.tell_disk(*report.statistics.disk);
  if (dead_letters) dead_letters->correct(report.statistics.ledger);
  const bool saved = !follow || follow->finish();
  report.input = follow ? follow->counters() : pump.counters();
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report.resources = resources_used();
  report.last_errors = watch.last_errors();
  if (!tell(report, options.report, config.output.type)) return exit_incomplete;
  if (!read_all) spdlog::warn("stopped before the end of the input");
  return read_all && saved && complete(report) ? exit_all_acked : exit_incomplete;
}

}  // namespace windlass::app
