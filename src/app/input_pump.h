// From inputs to the balancer: reads, encodes, publishes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include <windlass/load_balancer.h>

#include "app/input.h"
#include "app/line_events.h"
#include "app/line_reader.h"
#include "app/report.h"

namespace windlass::app {

/// Reads inputs one after another and publishes their lines, as fast as the balancer takes them. Blocks in run();
/// stop(), bytes_read() and lines_published() may be called from other threads.
class InputPump {
 public:
  struct Options {
    bool json = false;  ///< lines are events already
    std::string host;   ///< of events that are made of lines
    /// The balancer's budgets: no piece that is handed over may exceed them.
    std::size_t max_events = 1;
    std::size_t max_bytes = 1;
  };

  InputPump(LoadBalancer& balancer, Options options);
  ~InputPump();
  InputPump(const InputPump&) = delete;
  InputPump& operator=(const InputPump&) = delete;

  /// Reads them to their ends. False when it was stopped before.
  bool run(std::vector<Input>& inputs);
  /// Makes run() return soon, even while it waits for input.
  void stop();

  /// After run().
  const InputCounters& counters() const { return counters_; }
  std::uint64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  bool pump(Input& input);
  bool take_lines(LineReader& reader);
  bool publish();
  std::error_code publish_one_by_one();

  LoadBalancer& balancer_;
  const Options options_;
  LineEvents lines_;
  EventBuffer events_;
  const std::size_t piece_events_;
  const std::size_t piece_bytes_;
  InputCounters counters_;
  std::atomic<std::uint64_t> bytes_read_{0};
  std::atomic<bool> stopped_{false};
  int wake_descriptor_ = -1;
};

}  // namespace windlass::app
