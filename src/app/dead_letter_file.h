// Dead letters, on disk: dead_letter.file.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include <windlass/dead_letter.h>
#include <windlass/error.h>
#include <windlass/statistics.h>

#include "app/json_line.h"
#include "runtime/line_file.h"

namespace windlass::app {

/// Appends events that no endpoint will take to a file, each as one line of JSON (NDJSON):
///
///   {"time": when, as "2024-05-06T07:08:09.123Z", "reason": "rejected" or "undeliverable", "error": what the endpoint
///   said last, in its own words where it has any, "sends": how often it was sent, "endpoints": [who refused it, as
///   configured], "event": the event, as it is where it is a JSON object, else as a string}
///
/// Not thread-safe, except for lost_total(): keep() is for LoadBalancerOptions::dead_letter, which is called from the
/// loop thread before the event is signalled. It writes there, and returns when the line is with the kernel, so that it
/// outlives the program (not a crash of the system); dead letters are few and small. runtime::LineFile says what the
/// file is like; a new one is for its owner alone to read, as events may be confidential.
class DeadLetterFile {
 public:
  /// Opens the file, or makes it. Throws std::system_error that names it.
  explicit DeadLetterFile(const std::string& path);

  /// Writes the events. What cannot be written is lost, which is logged as an error the first time, and counted; the
  /// next letter is tried again.
  void keep(const DeadLetter& letter, std::chrono::system_clock::time_point now);

  /// Events that could not be written, by the letter's reason.
  const std::map<errc, std::uint64_t>& lost() const noexcept { return lost_; }
  /// Events that could not be written, by now. Counted before the balancer signals them; from any thread.
  std::uint64_t lost_total() const noexcept { return lost_total_.load(); }
  /// The balancer has counted all of them as dead-lettered; those that were lost count as dropped instead.
  void correct(Ledger& ledger) const;

 private:
  std::string line_of(std::string_view event, const DeadLetter& letter, std::string_view time);

  runtime::LineFile file_;
  JsonLineChecker json_;
  std::map<errc, std::uint64_t> lost_;
  std::atomic<std::uint64_t> lost_total_{0};
};

}  // namespace windlass::app
