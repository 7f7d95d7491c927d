// How a run goes, for whoever sits in front of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <windlass/load_balancer.h>

#include "app/progress.h"

namespace windlass::app {

/// Shows how it goes: on a terminal continuously, else a line now and then. Connections tell it from their thread what
/// happens to them; it is told to people by show() and end(), from one thread, where it does not run into the display.
class Watch {
 public:
  /// Has the balancer tell it of connections and refusals. It must outlive the balancer.
  void hear_of(LoadBalancerOptions& options);
  // From any thread.
  void on_connection(const ConnectionEvent& event);
  /// From any thread: a line for people.
  void tell(bool is_wrong, const std::string& line);
  /// By endpoint: what last went wrong with a connection to it. Endpoints without failures are not there.
  std::map<std::string, std::string> last_errors() const;
  void on_refusal(const Refusal& refusal);
  /// What is wrong with the queue on disk, each thing once.
  void tell_disk(const DiskQueueStatistics& disk);

  /// To be called some times a second.
  void show(const LoadBalancer& balancer);
  /// Tells what is left to tell, and wipes the display.
  void end();

 private:
  /// Between two calls of show(); beyond that the log would only say the same again.
  static constexpr std::size_t max_events = 1000;
  /// Sets of endpoints may change for as long as it runs.
  static constexpr std::size_t max_endpoints = 4096;
  /// Refusals of one kind by one endpoint are told together, once in this time.
  static constexpr auto refusal_interval = std::chrono::seconds(10);
  using Clock = std::chrono::steady_clock;

  struct Refused {
    std::size_t batches = 0;  ///< not told yet
    std::size_t events = 0;
    std::string detail;  ///< of the last one
    Clock::time_point told_at{};
  };

  void tell_events();
  void tell_refusals(bool all);

  std::size_t told_damage_ = 0;
  std::error_code told_error_;
  bool told_full_ = false;
  mutable std::mutex mutex_;
  std::vector<ConnectionEvent> events_;
  std::vector<std::pair<bool, std::string>> lines_;
  std::map<std::string, std::string> last_errors_;
  std::map<std::string, std::string> told_;                         // of each endpoint
  std::map<std::pair<std::string, std::string>, Refused> refused_;  // by endpoint and error
  ProgressDisplay display_{STDERR_FILENO};
  Statistics shown_;
  Clock::time_point shown_at_ = Clock::now();
};

}  // namespace windlass::app
