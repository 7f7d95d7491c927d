#include "app/ship.h"

#include <atomic>
#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <future>
#include <map>
#include <mutex>
#include <spdlog/spdlog.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <windlass/load_balancer.h>
#include <windlass/lumberjack.h>

#include "app/config_reader.h"
#include "app/exit_code.h"
#include "app/input_pump.h"
#include "app/log.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/signals.h"

namespace windlass::app {
namespace {

using Clock = std::chrono::steady_clock;

WorkerFactory workers_of(const OutputConfig& output) {
  LumberjackOptions options;
  for (const net::HostPort& host : output.hosts) options.hosts.push_back(net::to_string(host));
  options.workers = output.worker;
  options.loadbalance = output.loadbalance;
  options.compression_level = output.compression_level;
  options.tls = output.tls;
  options.wait_retry = output.backoff.init;
  options.max_wait_retry = output.backoff.max;
  options.ttl = output.ttl;
  return lumberjack_workers(std::move(options));
}

LoadBalancerOptions balancer_options(const Config& config) {
  LoadBalancerOptions options;
  options.max_retries = config.output.max_retries;
  options.timeout = config.output.timeout;
  options.progress_timeout = config.progress_timeout;
  options.queue_events = config.queue.events;
  options.queue_bytes = config.queue.bytes;
  options.bulk_max_events = config.output.bulk_max_size;
  if (config.output.pipelining) options.pipelining = *config.output.pipelining;
  return options;
}

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

/// Shows how it goes: on a terminal continuously, else a line now and then. Connections tell it from their thread what
/// happens to them; it is told here, where it does not run into the display.
class Watch {
 public:
  void on_connection(const ConnectionEvent& event) {
    const std::lock_guard lock(mutex_);
    if (events_.size() < max_events) events_.push_back(event);
  }

  void show(const LoadBalancer& balancer) {
    tell_events();
    const auto now = Clock::now();
    const bool terminal = ProgressDisplay::is_possible(STDERR_FILENO);
    if (now - shown_at_ < (terminal ? std::chrono::milliseconds(500) : std::chrono::seconds(10))) return;
    Statistics statistics = balancer.statistics();
    const double seconds = std::chrono::duration<double>(now - shown_at_).count();
    if (terminal) {
      const auto size = display_.size();
      display_.show(progress_lines(shown_, statistics, seconds, size.columns, size.rows));
    } else {
      spdlog::info("{}", progress_summary(shown_, statistics, seconds));
    }
    shown_ = std::move(statistics);
    shown_at_ = now;
  }

  void end() {
    tell_events();
    display_.clear();
  }

 private:
  /// In a tenth of a second; beyond that the log would only say the same again.
  static constexpr std::size_t max_events = 1000;

  void tell_events() {
    std::vector<ConnectionEvent> events;
    {
      const std::lock_guard lock(mutex_);
      events.swap(events_);
    }
    if (!events.empty()) display_.clear();
    for (const ConnectionEvent& event : events) {
      // An endpoint that stays away says the same at each attempt: it is told once.
      std::string news = event.connected ? "connected" : event.detail;
      std::string& told = told_[event.endpoint];
      if (news == told) continue;
      spdlog::log(event.connected ? spdlog::level::info : spdlog::level::warn, "{}: {}", event.endpoint, news);
      told = std::move(news);
    }
  }

  std::mutex mutex_;
  std::vector<ConnectionEvent> events_;
  std::map<std::string, std::string> told_;  ///< of each endpoint
  ProgressDisplay display_{STDERR_FILENO};
  Statistics shown_;
  Clock::time_point shown_at_ = Clock::now();
};

bool complete(const Report& report) {
  return report.statistics.ledger.acked == report.statistics.ledger.accepted && report.input.refused_lines == 0 &&
         report.input.failed_inputs == 0;
}

}  // namespace

int run_ship(const ShipOptions& options) {
  const auto start = Clock::now();
  const Config config = read_config(options.sources);
  set_log_level(config.log_level);
  for (const std::string& warning : config.warnings) spdlog::warn("{}", warning);

  const std::vector<std::string>& paths = options.inputs.empty() ? config.paths : options.inputs;
  if (paths.empty()) {
    spdlog::error("nothing to ship: name files, or - for standard input");
    return exit_usage;
  }
  std::vector<Input> inputs;
  if (!open_inputs(paths, inputs)) return exit_usage;

  // Before any thread starts, so that all of them leave the signals to this one.
  Signals signals;
  Watch watch;
  LoadBalancerOptions balancing = balancer_options(config);
  balancing.on_connection = [&watch](const ConnectionEvent& event) { watch.on_connection(event); };
  LoadBalancer balancer(workers_of(config.output), std::move(balancing));
  InputPump pump(balancer, {options.json, host_name(), config.queue.events, config.queue.bytes});

  bool read_all = false;
  std::atomic<bool> done{false};
  auto work = std::async(std::launch::async, [&] {
    read_all = pump.run(inputs);
    balancer.drain(std::chrono::nanoseconds::max());
    done.store(true);
    signals.wake();
  });
  // The drain without end is overtaken by one with a deadline, and that one by a close.
  std::future<void> hurry;
  while (!done.load()) {
    if (signals.wait(std::chrono::milliseconds(100))) {
      if (hurry.valid()) {
        spdlog::warn("closing at once");
        balancer.close();
      } else {
        spdlog::warn("stopping: what was read is delivered within {}; a second signal ends it at once",
                     std::chrono::duration_cast<std::chrono::duration<double>>(config.shutdown_timeout));
        pump.stop();
        hurry = std::async(std::launch::async, [&] { balancer.drain(config.shutdown_timeout); });
      }
    }
    watch.show(balancer);
  }
  work.get();
  watch.end();

  Report report;
  report.statistics = balancer.statistics();
  report.input = pump.counters();
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report.resources = resources_used();
  if (options.report != "-") fmt::print("{}", report_text(report));
  if (!options.report.empty()) {
    if (const std::error_code error = write_report(options.report, report_json(report))) {
      spdlog::error("{}: {}", options.report, error.message());
      return exit_incomplete;
    }
  }
  if (!read_all) spdlog::warn("stopped before the end of the input");
  return read_all && complete(report) ? exit_all_acked : exit_incomplete;
}

}  // namespace windlass::app
