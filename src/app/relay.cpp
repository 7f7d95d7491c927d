#include "app/relay.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <spdlog/spdlog.h>
#include <utility>

#include <windlass/load_balancer.h>

#include "app/attend.h"
#include "app/balancing.h"
#include "app/endpoint_watch.h"
#include "app/exit_code.h"
#include "app/log.h"
#include "app/relay_server.h"
#include "app/report.h"
#include "app/server.h"
#include "app/signals.h"
#include "app/watch.h"

namespace windlass::app {
namespace {

using Clock = std::chrono::steady_clock;

RelayServer::Options server_options(const Config& config, const std::vector<ListenConfig>& listen) {
  RelayServer::Options options;
  options.listen = listen.empty() ? config.relay.listen : listen;
  options.max_clients = config.relay.max_clients;
  options.receive_bytes = config.relay.receive_bytes;
  RelayIntake::Limits& limits = options.limits;
  limits.piece_events = std::min(limits.piece_events, config.queue.events);
  limits.piece_bytes = std::min(limits.piece_bytes, config.queue.bytes / 2);
  limits.event_bytes = std::min(limits.event_bytes, config.queue.bytes / 2);
  limits.keep_alive_interval = config.relay.keep_alive_interval;
  limits.window_timeout = config.relay.window_timeout;
  limits.inactivity_timeout = config.relay.client_inactivity_timeout;
  return options;
}

}  // namespace

int run_relay(const RelayOptions& options) {
  const auto start = Clock::now();
  const Config config = read_config(options.sources);
  heed(config);
  RelayServer::Options serving = server_options(config, options.listen);
  if (serving.listen.empty()) {
    spdlog::error("nowhere to listen: give --listen, or relay.listen in the configuration");
    return exit_usage;
  }
  for (const ListenConfig& listen : serving.listen) {
    if (listen.type == OutputType::lumberjack) continue;
    spdlog::error("a relay listens for lumberjack:// and lumberjacks:// only");
    return exit_usage;
  }
  raise_file_limit();
  LoadBalancerOptions balancing = balancer_options(config);
  const std::unique_ptr<DeadLetterFile> dead_letters = keep_dead_letters(config, balancing);
  if (dead_letters) serving.letters_lost = [&dead_letters] { return dead_letters->lost_total(); };

  // Before any thread starts, so that all of them leave the signals to this one.
  Signals signals;
  Watch watch;
  watch.hear_of(balancing);
  EndpointWatch endpoints(config.output, watch);
  LoadBalancer balancer(endpoints.workers(), std::move(balancing));
  const auto changing = endpoints.start(balancer);
  RelayServer server(balancer, std::move(serving));

  std::atomic<bool> done{false};
  std::promise<void> stopped;
  auto work = std::async(std::launch::async, [&] {
    stopped.get_future().wait();
    balancer.drain(std::chrono::nanoseconds::max());
    done.store(true);
    signals.wake();
  });
  attend(signals, watch, balancer, done, config.shutdown_timeout, [&] {
    server.stop();
    stopped.set_value();
  });
  work.get();

  Report report;
  report.clients = server.finish();
  report.statistics = balancer.statistics();
  if (dead_letters) dead_letters->correct(report.statistics.ledger);
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report.resources = resources_used();
  report.last_errors = watch.last_errors();
  const Ledger& ledger = report.statistics.ledger;
  return tell(report, options.report, config.output.type) && ledger.acked == ledger.accepted ? exit_all_acked
                                                                                             : exit_incomplete;
}

}  // namespace windlass::app
