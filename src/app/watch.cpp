#include "app/watch.h"

#include <spdlog/spdlog.h>
#include <utility>

namespace windlass::app {

void Watch::on_connection(const ConnectionEvent& event) {
  const std::lock_guard lock(mutex_);
  if (events_.size() < max_events) events_.push_back(event);
}

void Watch::show(const LoadBalancer& balancer) {
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

void Watch::end() {
  tell_events();
  display_.clear();
}

void Watch::tell_events() {
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

}  // namespace windlass::app
