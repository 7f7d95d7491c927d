#include "app/attend.h"

#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <future>
#include <spdlog/spdlog.h>

#include "app/units.h"

namespace windlass::app {

void attend(Signals& signals, Watch& watch, LoadBalancer& balancer, const std::atomic<bool>& done,
            base::Duration shutdown_timeout, const std::function<void()>& stop) {
  // A drain without end may be under way; it is overtaken by one with a deadline, and that one by a close.
  std::future<void> hurry;
  while (!done.load()) {
    if (signals.wait(std::chrono::milliseconds(100))) {
      if (hurry.valid()) {
        spdlog::warn("closing at once");
        balancer.close();
      } else {
        spdlog::warn("stopping: what was read is delivered within {}; a second signal ends it at once",
                     format_duration(shutdown_timeout));
        stop();
        hurry = std::async(std::launch::async, [&] { balancer.drain(shutdown_timeout); });
      }
    }
    watch.show(balancer);
  }
  watch.end();
}

bool tell(const Report& report, const std::string& file, OutputType output) {
  if (file != "-") fmt::print(output == OutputType::console ? stderr : stdout, "{}", report_text(report));
  if (file.empty()) return true;
  const std::error_code error = write_report(file, report_json(report));
  if (error) spdlog::error("{}: {}", file, error.message());
  return !error;
}

}  // namespace windlass::app
