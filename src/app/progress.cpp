#include "app/progress.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/report.h"
#include "app/units.h"

namespace windlass::app {
namespace {

constexpr std::size_t bar_width = 10;
constexpr std::size_t most_name_columns = 40;

std::uint64_t since(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

double rate(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string cut(std::string text, std::size_t width) {
  if (text.size() > width) text.resize(width);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

/// What was acknowledged between two snapshots by one endpoint, or several.
struct Row {
  std::string name;
  std::uint64_t acked = 0;
  std::string state;
};

/// An endpoint is in the state in which most of its connections are of use.
int usefulness(WorkerState state) {
  switch (state) {
    case WorkerState::connected:
      return 5;
    case WorkerState::resting:
      return 4;
    case WorkerState::connecting:
      return 3;
    case WorkerState::waiting:
      return 2;
    case WorkerState::closing:
      return 1;
    case WorkerState::standby:
      return 0;
    case WorkerState::left:
      return -1;
  }
  return -1;
}

std::string state_text(const WorkerStatistics& endpoint, std::size_t connections) {
  std::string text = endpoint.state == WorkerState::connected ? fmt::format("window {}", endpoint.window)
                                                              : std::string(to_string(endpoint.state));
  if (connections > 1) text += fmt::format(" of {} connections", connections);
  if (endpoint.state == WorkerState::connected && !endpoint.window_reason.empty())
    text += fmt::format(" ({})", endpoint.window_reason);
  if (endpoint.state != WorkerState::connected && endpoint.last_error)
    text += fmt::format(" ({})", endpoint.last_error.message());
  return text;
}

std::vector<Row> rows(const Statistics& before, const Statistics& after) {
  const std::vector<WorkerStatistics> earlier = by_endpoint(before.workers);
  std::vector<Row> result;
  for (WorkerStatistics endpoint : by_endpoint(after.workers)) {
    const auto then = std::find_if(earlier.begin(), earlier.end(),
                                   [&](const WorkerStatistics& other) { return other.endpoint == endpoint.endpoint; });
    std::size_t connections = 0;
    for (const WorkerStatistics& connection : after.workers) {
      if (connection.endpoint != endpoint.endpoint) continue;
      ++connections;
      if (usefulness(connection.state) > usefulness(endpoint.state)) endpoint.state = connection.state;
    }
    const bool is_new = then == earlier.end();
    std::string state = state_text(endpoint, connections);
    if (endpoint.at_rate_limit > (is_new ? std::chrono::nanoseconds(0) : then->at_rate_limit))
      state += fmt::format(", at its limit of {}/s", format_count(endpoint.rate_limit));
    result.push_back({endpoint.endpoint, since(is_new ? 0 : then->acked, endpoint.acked), std::move(state)});
  }
  return result;
}

std::string bar(double share) {
  const auto filled = static_cast<std::size_t>(std::lround(share * static_cast<double>(bar_width)));
  return std::string(filled, '#') + std::string(bar_width - filled, '.');
}

std::string totals(const Statistics& before, const Statistics& after, double seconds) {
  const Ledger& ledger = after.ledger;
  std::string text =
      fmt::format("{:>5} events/s  acked {}  queued {}  in flight {}",
                  format_count(rate(since(before.ledger.acked, ledger.acked), seconds)),
                  format_count(static_cast<double>(ledger.acked)), format_count(static_cast<double>(ledger.queued)),
                  format_count(static_cast<double>(ledger.in_flight)));
  const auto add = [&](std::uint64_t count, const char* what) {
    if (count > 0) text += fmt::format("  {} {}", what, format_count(static_cast<double>(count)));
  };
  add(ledger.retried, "retried");
  add(ledger.dropped_total(), "dropped");
  add(ledger.dead_lettered, "dead-lettered");
  return text;
}

}  // namespace

std::vector<std::string> progress_lines(const Statistics& before, const Statistics& after, double seconds,
                                        std::size_t width, std::size_t height) {
  std::vector<std::string> lines;
  if (height == 0) return lines;
  lines.push_back(cut(totals(before, after, seconds), width));

  std::vector<Row> all = rows(before, after);
  if (height >= 2 && all.size() > height - 1) {
    const auto rest = all.begin() + static_cast<std::ptrdiff_t>(height - 2);
    Row others{fmt::format("{} more", all.end() - rest), 0, {}};
    for (auto row = rest; row != all.end(); ++row) others.acked += row->acked;
    all.erase(rest, all.end());
    all.push_back(std::move(others));
  }
  std::uint64_t acked = 0;
  std::size_t name_columns = 0;
  for (const Row& row : all) {
    acked += row.acked;
    name_columns = std::max(name_columns, std::min(row.name.size(), most_name_columns));
  }
  for (const Row& row : all) {
    if (lines.size() == height) break;
    const double share = acked > 0 ? static_cast<double>(row.acked) / static_cast<double>(acked) : 0;
    lines.push_back(
        cut(fmt::format("  {:<{}}  {} {:3.0f} %  {:>5}/s  {}", cut(row.name, most_name_columns), name_columns,
                        bar(share), 100 * share, format_count(rate(row.acked, seconds)), row.state),
            width));
  }
  return lines;
}

std::string progress_summary(const Statistics& before, const Statistics& after, double seconds) {
  const auto count = [&](WorkerState state) {
    return std::count_if(after.workers.begin(), after.workers.end(),
                         [&](const WorkerStatistics& worker) { return worker.state == state; });
  };
  const auto in_use = count(WorkerState::connected);
  const auto all = static_cast<std::ptrdiff_t>(after.workers.size()) - count(WorkerState::left);
  return fmt::format("{}  connected {} of {}", trimmed(totals(before, after, seconds)), in_use, all);
}

bool ProgressDisplay::is_possible(int descriptor) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

ProgressDisplay::Size ProgressDisplay::size() const {
  winsize found{};
  if (::ioctl(descriptor_, TIOCGWINSZ, &found) != 0 || found.ws_col == 0 || found.ws_row == 0) return {};
  return {found.ws_col, found.ws_row};
}

void ProgressDisplay::show(const std::vector<std::string>& lines) {
  // Up to the first line; each line over the old one, the rest of which is wiped; and whatever was below.
  std::string text = shown_ > 0 ? fmt::format("\x1b[{}A", shown_) : std::string();
  for (const std::string& line : lines) text += fmt::format("\r{}\x1b[K\n", line);
  text += "\x1b[J";
  write(text);
  shown_ = lines.size();
}

void ProgressDisplay::clear() {
  if (shown_ > 0) show({});
}

void ProgressDisplay::write(const std::string& text) const {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    // A terminal that is gone, or that cannot take more, is no reason to stop.
    if (written < 0 && errno != EINTR) return;
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace windlass::app
