#include "app/dead_letter_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <utility>
#include <vector>

#include "app/event_encoder.h"
#include "app/json_text.h"
#include "app/report.h"

namespace windlass::app {
namespace {

std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", escaped_json(text));
}

errc reason_of(const DeadLetter& letter) {
  return static_cast<errc>(letter.reason.value());
}

}  // namespace

DeadLetterFile::DeadLetterFile(const std::string& path) : file_({.path = path, .permissions = 0600}) {
  if (const std::error_code error = file_.open()) throw std::system_error(error, "dead_letter.file: " + path);
  if (file_.cut_bytes() > 0)
    spdlog::warn("{}: its last line was not complete, and is cut off ({} bytes)", path, file_.cut_bytes());
}

void DeadLetterFile::keep(const DeadLetter& letter, std::chrono::system_clock::time_point now) {
  const std::string time = format_time(now);
  for (const std::string_view event : letter.events) file_.add(line_of(event, letter, time));
  const auto [kept, error] = file_.flush();
  if (!error) return;
  if (lost_.empty()) spdlog::error("{}: {}; events that no endpoint takes are lost", file_.path(), error.message());
  lost_[reason_of(letter)] += letter.events.size() - kept;
  lost_total_ += letter.events.size() - kept;
}

void DeadLetterFile::correct(Ledger& ledger) const {
  for (const auto& [reason, count] : lost_) {
    ledger.dead_lettered -= count;
    ledger.dropped[reason] += count;
  }
}

std::string DeadLetterFile::line_of(std::string_view event, const DeadLetter& letter, std::string_view time) {
  std::vector<std::string> endpoints;
  for (const std::string& endpoint : letter.endpoints) endpoints.push_back(quoted(endpoint));
  std::string error = letter.error ? letter.error.message() : std::string();
  if (!letter.detail.empty()) error += ": " + letter.detail;
  return fmt::format(R"({{"time":"{}","reason":"{}","error":{},"sends":{},"endpoints":[{}],"event":{}}})", time,
                     reason_name(reason_of(letter)), quoted(error), letter.attempts, fmt::join(endpoints, ","),
                     json_.is_object(event) ? std::string(event) : quoted(event));
}

}  // namespace windlass::app
