// What it costs to publish in process: from publish to signal, with clients that do nothing, in CPU time of all
// threads.
//
// usage: bench_publish [EVENTS [async|sync WORKERS BATCH PUBLISHERS]]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <windlass/windlass.h>

namespace {

using namespace windlass;

class IdleSyncClient final : public SyncClient {
 public:
  std::error_code connect(std::chrono::milliseconds) override { return {}; }
  PublishResult publish(const Batch&) override { return PublishResult::acked(); }
  void close() noexcept override {}
};

class IdleAsyncClient final : public AsyncClient {
 public:
  void connect(Link link, std::chrono::milliseconds) override { link.connected(); }
  void publish(Batch, Completion done) override { done.acked(); }
  void close() noexcept override {}
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

WorkerFactory idle_workers(bool sync, std::size_t count) {
  using std::chrono::seconds;
  if (sync) {
    std::vector<std::unique_ptr<SyncClient>> clients;
    for (std::size_t i = 0; i < count; ++i) clients.push_back(std::make_unique<IdleSyncClient>());
    return sync_clients(std::move(clients), seconds(1), seconds(60));
  }
  std::vector<std::unique_ptr<AsyncClient>> clients;
  for (std::size_t i = 0; i < count; ++i) clients.push_back(std::make_unique<IdleAsyncClient>());
  return async_clients(std::move(clients), seconds(1), seconds(60));
}

void measure(bool sync, std::size_t workers, std::size_t batch, std::size_t publishers, std::size_t events) {
  const std::string payload(250, 'x');
  alignas(64) std::size_t acked = 0;  // of the loop's thread alone, and not beside what publishers read
  alignas(64) LoadBalancer balancer(idle_workers(sync, workers));
  const auto signal = [&acked](const Outcome& outcome) { acked += outcome.acked; };

  const double cpu_before = cpu_seconds();
  const auto before = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < publishers; ++i) {
    threads.emplace_back([&] {
      for (std::size_t published = 0; published < events / publishers; published += batch) {
        if (batch == 1) {
          balancer.publish_event(payload, signal);
        } else {
          EventBuffer buffer;
          buffer.reserve(batch * payload.size(), batch);
          for (std::size_t event = 0; event < batch; ++event) buffer.append(payload);
          balancer.publish_events(std::move(buffer), signal);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (!balancer.drain(std::chrono::seconds(60))) std::printf("some events were not delivered\n");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  const double cpu = cpu_seconds() - cpu_before;
  const auto count = static_cast<double>(acked);
  std::printf("%-6s %7zu %10zu %6zu %14.0f %10.1f\n", sync ? "sync" : "async", workers, publishers, batch,
              count / seconds, 1e9 * cpu / count);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t events = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 4'000'000;
  std::printf("%-6s %7s %10s %6s %14s %10s\n", "client", "workers", "publishers", "batch", "events/s", "ns CPU");
  if (argc == 6) {
    const auto number = [&](int index) { return std::strtoull(argv[index], nullptr, 10); };
    measure(std::string_view(argv[2]) == "sync", number(3), number(4), number(5), events);
    return 0;
  }
  for (const bool sync : {false, true})
    for (const std::size_t workers : {1, 3, 16})
      for (const std::size_t batch : {1, 64, 2048})
        measure(sync, workers, batch, 1, events / (batch == 1 && sync ? 4 : 1));
  measure(false, 3, 1, 4, events);
}
