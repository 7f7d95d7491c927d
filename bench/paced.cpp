// Publishes at a steady rate to endpoints that are there already, and says how long each event took from publish to
// signal: one JSON object on standard output.
//
// usage: bench_paced HOST:PORT,HOST:PORT,... EVENTS_PER_SECOND SECONDS   (0 events a second: as many as are taken)
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>

#include <windlass/windlass.h>

#include "base/histogram.h"

namespace {

using namespace windlass;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds tick{1};  // events of a tick are published one by one, side by side

double milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

/// From publish to signal. Filled by the balancer's thread, read when it is closed.
struct Delays {
  base::Histogram all;
  std::atomic<std::uint64_t> failed{0};

  Signal signal(Clock::time_point published) {
    return [this, published](const Outcome& outcome) {
      all.add(Clock::now() - published);
      failed.fetch_add(outcome.failed, std::memory_order_relaxed);
    };
  }
};

std::string event_of(std::uint64_t number) {
  std::string event = R"({"message":")" + std::string(200, 'x') + R"(","number":)" + std::to_string(number) + "}";
  return event;
}

void publish_paced(LoadBalancer& balancer, Delays& delays, double rate, Clock::time_point start,
                   Clock::time_point end) {
  std::uint64_t published = 0;
  for (auto now = start; now < end; now = Clock::now()) {
    const auto due = static_cast<std::uint64_t>(rate * std::chrono::duration<double>(now - start).count());
    for (; published < due; ++published) balancer.publish_event(event_of(published), delays.signal(now));
    std::this_thread::sleep_until(now + tick);
  }
}

void publish_all(LoadBalancer& balancer, Delays& delays, Clock::time_point end) {
  for (std::uint64_t published = 0; Clock::now() < end;) {
    const auto now = Clock::now();
    for (int i = 0; i < 100; ++i) balancer.publish_event(event_of(++published), delays.signal(now));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_paced HOST:PORT,... EVENTS_PER_SECOND SECONDS\n");
    return 2;
  }
  LumberjackOptions endpoints;
  std::istringstream hosts(argv[1]);
  for (std::string host; std::getline(hosts, host, ',');) endpoints.hosts.push_back(host);
  endpoints.compression_level = 0;
  endpoints.wait_retry = std::chrono::milliseconds(100);
  const double rate = std::atof(argv[2]);
  const auto duration = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(argv[3])));

  Delays delays;
  LoadBalancer::Options options;
  options.max_retries = -1;
  LoadBalancer balancer(lumberjack_workers(endpoints), options);

  const auto start = Clock::now();
  const auto end = start + duration;
  std::thread publisher([&] {
    if (rate > 0) {
      publish_paced(balancer, delays, rate, start, end);
    } else {
      publish_all(balancer, delays, end);
    }
  });
  // The rate once windows have settled, and before anything runs out.
  std::this_thread::sleep_until(start + duration / 4);
  const auto early = balancer.statistics().ledger.acked;
  const auto early_at = Clock::now();
  std::this_thread::sleep_until(end);
  const auto late = balancer.statistics().ledger.acked;
  const double between = std::chrono::duration<double>(Clock::now() - early_at).count();
  publisher.join();
  balancer.drain(std::chrono::seconds(30));

  const Statistics statistics = balancer.statistics();
  std::printf(
      R"({"accepted": %llu, "acked": %llu, "failed": %llu, "rate": %.0f, "p50": %.3f, "p99": %.3f, "max": %.3f)",
      static_cast<unsigned long long>(statistics.ledger.accepted),
      static_cast<unsigned long long>(statistics.ledger.acked), static_cast<unsigned long long>(delays.failed.load()),
      static_cast<double>(late - early) / between, milliseconds(delays.all.quantile(0.5)),
      milliseconds(delays.all.quantile(0.99)), milliseconds(delays.all.max()));
  std::printf(R"(, "endpoints": [)");
  for (std::size_t i = 0; i < statistics.workers.size(); ++i) {
    const WorkerStatistics& worker = statistics.workers[i];
    std::printf(R"(%s{"endpoint": "%s", "acked": %llu, "window": %u, "p50": %.3f, "p99": %.3f})", i == 0 ? "" : ", ",
                worker.endpoint.c_str(), static_cast<unsigned long long>(worker.acked), worker.window,
                milliseconds(worker.latency.p50), milliseconds(worker.latency.p99));
  }
  std::printf("]}\n");
  return statistics.ledger.acked == statistics.ledger.accepted ? 0 : 1;
}
