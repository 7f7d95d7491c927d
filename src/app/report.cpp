#include "app/report.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/units.h"
#include "base/files.h"

namespace windlass::app {
namespace {

namespace json = boost::json;

double milliseconds(std::chrono::nanoseconds duration) {
  return std::round(static_cast<double>(duration.count()) / 1e3) / 1e3;
}

double rounded(double seconds) {
  return std::round(seconds * 1e6) / 1e6;
}

json::value to_json(const WorkerStatistics& endpoint, const Report& report) {
  const Latency& latency = endpoint.latency;
  const auto error = report.last_errors.find(endpoint.endpoint);
  json::object result{
      {"endpoint", endpoint.endpoint},
      {"acked", endpoint.acked},
      {"batches", endpoint.batches},
      {"failed_attempts", endpoint.failed_attempts},
      {"connects", endpoint.connects},
      {"window", endpoint.window},
      {"window_reason", endpoint.window_reason},
      {"last_error", error == report.last_errors.end() ? std::string() : error->second},
      {"latency_ms",
       json::object{
           {"p50", milliseconds(latency.p50)}, {"p99", milliseconds(latency.p99)}, {"max", milliseconds(latency.max)}}},
  };
  if (endpoint.rate_limit > 0) {
    result["rate_limit"] = endpoint.rate_limit;
    result["at_rate_limit_seconds"] = rounded(std::chrono::duration<double>(endpoint.at_rate_limit).count());
  }
  return result;
}

json::value to_json(const DiskQueueStatistics& disk) {
  json::array damage;
  for (const std::string& one : disk.damage) damage.emplace_back(one);
  return json::object{
      {"events", disk.events},       {"bytes", disk.bytes},           {"max_bytes", disk.max_bytes},
      {"segments", disk.segments},   {"syncs", disk.syncs},           {"recovered", disk.recovered},
      {"damaged", disk.damaged},     {"unfinished", disk.unfinished}, {"kept_bytes", disk.kept_bytes},
      {"damage", std::move(damage)},
  };
}

json::value to_json(const InputCounters& input) {
  json::object result{{"lines", input.lines},
                      {"bytes", input.bytes},
                      {"empty_lines", input.empty_lines},
                      {"cut_lines", input.cut_lines},
                      {"refused_lines", input.refused_lines},
                      {"failed_inputs", input.failed_inputs}};
  if (input.files)
    result["files"] = json::object{{"found", input.files->found},
                                   {"replaced", input.files->replaced},
                                   {"copies", input.files->copies},
                                   {"open", input.files->open},
                                   {"lag_bytes", input.files->lag_bytes}};
  return result;
}

json::value to_json(const RelayCounters& clients) {
  json::object cut;
  for (const auto& [reason, count] : clients.cut) cut[to_string(reason)] = count;
  return json::object{{"connections", clients.connections},
                      {"failed_accepts", clients.failed_accepts},
                      {"windows", clients.windows},
                      {"events", clients.events},
                      {"bytes", clients.bytes},
                      {"acked_windows", clients.acked_windows},
                      {"acked", clients.acked},
                      {"keep_alives", clients.keep_alives},
                      {"cut", std::move(cut)}};
}

/// Indented, and with numbers as people write them: Boost's own serializer writes 1.5 as 1.5E0, all in one line.
void print(const json::value& value, std::size_t indent, std::string& to) {
  const auto new_line = [&](std::size_t depth) { to.append("\n").append(2 * depth, ' '); };
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    to += '{';
    for (const json::key_value_pair& pair : *object) {
      if (to.back() != '{') to += ',';
      new_line(indent + 1);
      to += json::serialize(pair.key());
      to += ": ";
      print(pair.value(), indent + 1, to);
    }
    new_line(indent);
    to += '}';
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    to += '[';
    for (const json::value& item : *array) {
      if (to.back() != '[') to += ',';
      new_line(indent + 1);
      print(item, indent + 1, to);
    }
    new_line(indent);
    to += ']';
  } else if (const double* number = value.if_double()) {
    to += fmt::format("{}", *number);
  } else {
    to += json::serialize(value);
  }
}

std::error_code write_in_place(const std::string& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return base::last_error();
  const std::error_code error = base::write_all(descriptor, text);
  if (::close(descriptor) != 0 && !error) return base::last_error();
  return error;
}

std::error_code replace_file(const std::string& path, std::string_view text) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  int descriptor = ::open(temporary.c_str(), flags, 0666);
  if (descriptor < 0 && errno == EEXIST) {
    // Left behind by an earlier process of the same number, which was killed.
    ::unlink(temporary.c_str());
    descriptor = ::open(temporary.c_str(), flags, 0666);
  }
  if (descriptor < 0) return base::last_error();
  std::error_code error = base::write_all(descriptor, text);
  if (!error && ::fsync(descriptor) != 0) error = base::last_error();
  if (::close(descriptor) != 0 && !error) error = base::last_error();
  if (!error && std::rename(temporary.c_str(), path.c_str()) != 0) error = base::last_error();
  if (error) ::unlink(temporary.c_str());
  return error;
}

}  // namespace

Resources resources_used() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
}

const char* reason_name(errc reason) noexcept {
  switch (reason) {
    case errc::closed:
      return "closed";
    case errc::queue_full:
      return "queue_full";
    case errc::too_large:
      return "too_large";
    case errc::no_events:
      return "no_events";
    case errc::attempts_exhausted:
      return "attempts_exhausted";
    case errc::no_worker:
      return "no_worker";
    case errc::rejected:
      return "rejected";
    case errc::undeliverable:
      return "undeliverable";
    case errc::no_workers_configured:
      return "no_workers_configured";
    case errc::connect_failed:
      return "connect_failed";
    case errc::connection_lost:
      return "connection_lost";
    case errc::timeout:
      return "timeout";
    case errc::no_progress:
      return "no_progress";
    case errc::protocol_error:
      return "protocol_error";
    case errc::throttled:
      return "throttled";
    case errc::temporary:
      return "temporary";
    case errc::denied:
      return "denied";
    case errc::abandoned:
      return "abandoned";
    case errc::damaged:
      return "damaged";
    case errc::queue_in_use:
      return "queue_in_use";
    case errc::unknown_format:
      return "unknown_format";
  }
  return "unknown";
}

std::vector<WorkerStatistics> by_endpoint(const std::vector<WorkerStatistics>& connections) {
  std::vector<WorkerStatistics> result;
  for (const WorkerStatistics& connection : connections) {
    const auto same = std::find_if(result.begin(), result.end(), [&](const WorkerStatistics& other) {
      return other.endpoint == connection.endpoint;
    });
    if (same == result.end()) {
      result.push_back(connection);
      continue;
    }
    same->acked += connection.acked;
    same->batches += connection.batches;
    same->failed_attempts += connection.failed_attempts;
    same->connects += connection.connects;
    same->in_flight += connection.in_flight;
    same->window += connection.window;
    if (connection.last_error) same->last_error = connection.last_error;
    Latency& latency = same->latency;
    const Latency& more = connection.latency;
    const auto count = static_cast<double>(latency.count + more.count);
    if (count > 0)
      latency.p50 = std::chrono::nanoseconds(
          std::llround((static_cast<double>(latency.p50.count()) * static_cast<double>(latency.count) +
                        static_cast<double>(more.p50.count()) * static_cast<double>(more.count)) /
                       count));
    latency.p99 = std::max(latency.p99, more.p99);
    latency.max = std::max(latency.max, more.max);
    latency.count += more.count;
  }
  return result;
}

std::string report_json(const Report& report) {
  const Ledger& ledger = report.statistics.ledger;
  json::object dropped;
  for (const auto& [reason, count] : ledger.dropped) dropped[reason_name(reason)] = count;
  json::array endpoints;
  for (const WorkerStatistics& endpoint : by_endpoint(report.statistics.workers))
    endpoints.push_back(to_json(endpoint, report));
  json::value all = json::object{
      {"accepted", ledger.accepted},
      {"acked", ledger.acked},
      {"dropped", std::move(dropped)},
      {"dead_lettered", ledger.dead_lettered},
      {"queued", ledger.queued},
      {"in_flight", ledger.in_flight},
      {"retried", ledger.retried},
      {"hedged", ledger.hedged},
      {"duplicates", ledger.duplicates},
      {report.clients ? "clients" : "input", report.clients ? to_json(*report.clients) : to_json(report.input)},
      {"seconds", rounded(report.seconds)},
      {"cpu_seconds", rounded(report.resources.cpu_seconds)},
      {"max_rss_bytes", report.resources.max_rss_bytes},
      {"endpoints", std::move(endpoints)},
  };
  if (const auto& disk = report.statistics.disk) all.as_object()["disk"] = to_json(*disk);
  std::string text;
  print(all, 0, text);
  return text + '\n';
}

std::error_code write_report(const std::string& path, const std::string& text) {
  if (path == "-") return base::write_all(STDOUT_FILENO, text);
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return std::make_error_code(std::errc::is_a_directory);
  return exists && !S_ISREG(status.st_mode) ? write_in_place(path, text) : replace_file(path, text);
}

std::string report_text(const Report& report) {
  const Ledger& ledger = report.statistics.ledger;
  const double rate = report.seconds > 0 ? static_cast<double>(ledger.acked) / report.seconds : 0;
  std::string text = fmt::format("{} of {} events acknowledged in {:.2f} s ({} events/s)\n", ledger.acked,
                                 ledger.accepted, report.seconds, format_count(rate));
  const auto line = [&](std::uint64_t count, const std::string& what) {
    if (count > 0) text += fmt::format("  {:>12} {}\n", count, what);
  };
  for (const auto& [reason, count] : ledger.dropped)
    line(count, fmt::format("dropped: {}", make_error_code(reason).message()));
  line(ledger.dead_lettered, "dead-lettered");
  line(ledger.queued, report.statistics.disk ? "left in the queue on disk" : "left in the queue");
  if (const auto& disk = report.statistics.disk) {
    line(disk->recovered, "were in the queue on disk at the start");
    line(disk->unfinished, "lost of writes that a crash cut short, before they were durable");
  }
  line(ledger.in_flight, "left in flight, without an answer");
  line(ledger.retried, "sent again");
  line(ledger.hedged, "sent twice on purpose, to get past a straggler");
  line(ledger.duplicates, "acknowledged twice for that");
  line(report.input.empty_lines, "empty lines skipped");
  line(report.input.cut_lines, "lines cut, as they were too long");
  line(report.input.refused_lines, "lines refused, as they are no JSON object");
  line(report.input.failed_inputs, "inputs that could not be read");
  if (report.clients) {
    line(report.clients->connections, "connections of clients");
    for (const auto& [reason, count] : report.clients->cut)
      line(count, fmt::format("of them cut: {}", to_string(reason)));
  }
  for (const WorkerStatistics& endpoint : by_endpoint(report.statistics.workers)) {
    const double share =
        ledger.acked > 0 ? 100.0 * static_cast<double>(endpoint.acked) / static_cast<double>(ledger.acked) : 0;
    text += fmt::format("  {:>12} {:3.0f} %  {}  p50 {:.1f} ms, p99 {:.1f} ms{}\n", endpoint.acked, share,
                        endpoint.endpoint, milliseconds(endpoint.latency.p50), milliseconds(endpoint.latency.p99),
                        endpoint.failed_attempts > 0 ? fmt::format(", {} failed sends", endpoint.failed_attempts) : "");
  }
  return text;
}

}  // namespace windlass::app
