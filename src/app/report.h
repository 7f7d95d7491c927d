// What a run did: as JSON for programs (--report), as text for people.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <windlass/statistics.h>

#include "app/relay_report.h"

namespace windlass::app {

/// Of files that are followed.
struct FollowedFiles {
  std::uint64_t found = 0;      ///< each that was truncated counts again
  std::uint64_t replaced = 0;   ///< truncated, or on an inode that was used again
  std::uint64_t copies = 0;     ///< recognized as copies of truncated ones
  std::uint64_t open = 0;       ///< at the end
  std::uint64_t lag_bytes = 0;  ///< that were seen and are not done with
};

/// What was read, in lines.
struct InputCounters {
  std::uint64_t lines = 0;          ///< made into events
  std::uint64_t bytes = 0;          ///< read
  std::uint64_t empty_lines = 0;    ///< skipped
  std::uint64_t cut_lines = 0;      ///< shipped without their ends
  std::uint64_t refused_lines = 0;  ///< --json: no JSON object, so not shipped
  std::uint64_t failed_inputs = 0;  ///< could not be opened, or not be read to their end
  std::optional<FollowedFiles> files;
};

/// What a run used.
struct Resources {
  double cpu_seconds = 0;           ///< of all threads, in user and system mode
  std::uint64_t max_rss_bytes = 0;  ///< the most memory that was resident
};
Resources resources_used();

struct Report {
  Statistics statistics;
  InputCounters input;
  std::optional<RelayCounters> clients;  ///< of a relay, which has them instead of an input
  double seconds = 0;                    ///< from start to end
  Resources resources;
  std::map<std::string, std::string> last_errors = {};  ///< by endpoint: what last went wrong, in words
};

/// The connections of one endpoint put together: counts are summed, and so are the windows; latencies are the worst of
/// any connection, but for p50, which is their mean weighted by count. In the order of first appearance.
std::vector<WorkerStatistics> by_endpoint(const std::vector<WorkerStatistics>& connections);

/// One JSON object, indented, with a newline at its end:
///   accepted, acked, dropped {REASON: events}, dead_lettered, queued, in_flight, retried, hedged, duplicates: events
///   input {lines, bytes, empty_lines, cut_lines, refused_lines, failed_inputs; where files are followed:
///     files {found, replaced, copies, open, lag_bytes}}
///     or, of a relay, clients {connections, failed_accepts, windows, events, bytes, acked_windows, acked, keep_alives,
///     cut {REASON: connections}}
///   seconds, cpu_seconds, max_rss_bytes
///   disk {events, bytes, max_bytes, segments, syncs, recovered, damaged, unfinished, kept_bytes, damage [TEXT]}: only
///     with a queue on disk
///   endpoints [{endpoint, acked, batches, failed_attempts, connects, window, window_reason, last_error, latency_ms
///   {p50, p99, max}; where it has a limit: rate_limit (events a second), at_rate_limit_seconds}]
std::string report_json(const Report& report);

/// Writes the text to the file so that there is all of it or none, by a new file that takes the place of an old one.
/// "-" is standard output; devices and pipes are written to as they are.
std::error_code write_report(const std::string& path, const std::string& text);

/// The ledger for a terminal: a few lines, ending in a newline.
std::string report_text(const Report& report);

/// The word for a reason, as in the report: "attempts_exhausted".
const char* reason_name(errc reason) noexcept;

}  // namespace windlass::app
