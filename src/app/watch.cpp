#include "app/watch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <utility>

namespace windlass::app {

void Watch::hear_of(LoadBalancerOptions& options) {
  options.on_connection = [this](const ConnectionEvent& event) { on_connection(event); };
  options.on_refusal = [this](const Refusal& refusal) { on_refusal(refusal); };
}

void Watch::on_connection(const ConnectionEvent& event) {
  const std::lock_guard lock(mutex_);
  if (events_.size() < max_events) events_.push_back(event);
  if (event.connected) return;
  const auto known = last_errors_.find(event.endpoint);
  if (known != last_errors_.end())
    known->second = event.detail;
  else if (last_errors_.size() < max_endpoints)
    last_errors_.emplace(event.endpoint, event.detail);
}

std::map<std::string, std::string> Watch::last_errors() const {
  const std::lock_guard lock(mutex_);
  return last_errors_;
}

void Watch::tell(bool is_wrong, const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (lines_.size() < max_events) lines_.emplace_back(is_wrong, line);
}

void Watch::on_refusal(const Refusal& refusal) {
  const std::lock_guard lock(mutex_);
  Refused& refused = refused_[{refusal.endpoint, refusal.error.message()}];
  ++refused.batches;
  refused.events += refusal.events;
  refused.detail = refusal.detail;
}

void Watch::show(const LoadBalancer& balancer) {
  tell_events();
  tell_refusals(false);
  const auto now = Clock::now();
  const bool terminal = ProgressDisplay::is_possible(STDERR_FILENO);
  if (now - shown_at_ < (terminal ? std::chrono::milliseconds(500) : std::chrono::seconds(10))) return;
  Statistics statistics = balancer.statistics();
  if (statistics.disk) tell_disk(*statistics.disk);
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

void Watch::tell_disk(const DiskQueueStatistics& disk) {
  const bool news = disk.damage.size() > told_damage_ || disk.error != told_error_ || disk.full != told_full_;
  if (news) display_.clear();
  for (; told_damage_ < disk.damage.size(); ++told_damage_)
    spdlog::warn("queue on disk: {}", disk.damage[told_damage_]);
  if (disk.error != told_error_ && disk.error)
    spdlog::error("queue on disk: {}; it is tried again and again", disk.error.message());
  if (disk.full && !told_full_) spdlog::warn("queue on disk: full; reading waits for deliveries");
  told_error_ = disk.error;
  told_full_ = disk.full;
}

void Watch::end() {
  tell_events();
  tell_refusals(true);
  display_.clear();
}

void Watch::tell_events() {
  std::vector<ConnectionEvent> events;
  std::vector<std::pair<bool, std::string>> lines;
  {
    const std::lock_guard lock(mutex_);
    events.swap(events_);
    lines.swap(lines_);
  }
  if (!events.empty() || !lines.empty()) display_.clear();
  for (const auto& [is_wrong, line] : lines)
    spdlog::log(is_wrong ? spdlog::level::warn : spdlog::level::info, "{}", line);
  for (const ConnectionEvent& event : events) {
    // An endpoint that stays away says the same at each attempt: it is told once.
    std::string news = event.connected ? "connected" : event.detail;
    if (told_.size() >= max_endpoints) told_.clear();
    std::string& told = told_[event.endpoint];
    if (news == told) continue;
    spdlog::log(event.connected ? spdlog::level::info : spdlog::level::warn, "{}: {}", event.endpoint, news);
    told = std::move(news);
  }
}

void Watch::tell_refusals(bool all) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  for (auto& [of, refused] : refused_) {
    if (refused.batches == 0 || (!all && now - refused.told_at < refusal_interval)) continue;
    display_.clear();
    const std::string count =
        refused.events > 0 ? fmt::format("{} events", refused.events) : fmt::format("{} batches", refused.batches);
    spdlog::warn("{}: {} ({}): {}", of.first, of.second, count, refused.detail);
    refused = {.detail = {}, .told_at = now};
  }
}

}  // namespace windlass::app
