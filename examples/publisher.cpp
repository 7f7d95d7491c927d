// Ships events to Lumberjack hosts (Logstash, Beats, another windlass) and says what became of each publish.
//
// usage: publisher HOST[:PORT]...
//
// Build it against an installed Windlass:
//   g++ -std=c++20 publisher.cpp $(pkg-config --cflags --libs windlass) -o publisher

#include <condition_variable>
#include <iostream>
#include <mutex>
#include <string>

#include <windlass/windlass.h>

namespace {

/// Counts signals, which come from the balancer's thread.
class Signals {
 public:
  windlass::Signal next() {
    const std::lock_guard lock(mutex_);
    ++expected_;
    return [this](const windlass::Outcome& outcome) { heard(outcome); };
  }
  void wait_for_all() {
    std::unique_lock lock(mutex_);
    all_heard_.wait(lock, [&] { return heard_ == expected_; });
  }

 private:
  void heard(const windlass::Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    if (outcome.reason) std::cerr << outcome.failed << " events failed: " << outcome.reason.message() << '\n';
    ++heard_;
    all_heard_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable all_heard_;
  int expected_ = 0;
  int heard_ = 0;
};

void print(const windlass::Statistics& statistics) {
  const windlass::Ledger& ledger = statistics.ledger;
  std::cout << "accepted " << ledger.accepted << ", acked " << ledger.acked << ", dropped " << ledger.dropped_total()
            << ", sent again " << ledger.retried << '\n';
  for (const windlass::WorkerStatistics& worker : statistics.workers)
    std::cout << "  " << worker.endpoint << ": " << worker.acked << " events in " << worker.batches << " batches\n";
}

}  // namespace

int main(int argc, char** argv) try {
  windlass::LumberjackOptions lumberjack;
  lumberjack.hosts.assign(argv + 1, argv + argc);
  lumberjack.workers = 2;

  windlass::LoadBalancerOptions options;
  options.on_connection = [](const windlass::ConnectionEvent& event) {
    std::cerr << event.endpoint << (event.connected ? ": connected" : ": lost: " + event.detail) << '\n';
  };

  Signals signals;
  windlass::LoadBalancer balancer(windlass::lumberjack_workers(lumberjack), options);

  // Single events are gathered into batches on their way.
  for (int number = 0; number < 1000; ++number)
    if (balancer.publish_event(R"({"message":"one of many"})", signals.next())) return 1;

  // Many events with one signal; these may be encoded in place. Guaranteed: sent again until they are acknowledged.
  windlass::EventBuffer events;
  for (int number = 0; number < 5000; ++number) events.append(R"({"message":"all for one"})");
  if (balancer.publish_events(std::move(events), signals.next(), {.guaranteed = true})) return 1;

  signals.wait_for_all();
  print(balancer.statistics());
  return balancer.statistics().ledger.dropped_total() == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "publisher: " << error.what() << '\n';
  return 2;
}
