#include "app/event_encoder.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

#include "app/json_text.h"

namespace windlass::app {
namespace {

constexpr std::string_view after_id = "\"}}";
constexpr std::size_t max_digits = 20;  // of a 64-bit number
/// Up to here, room for the worst case is cheaper than to look how much is needed.
constexpr std::size_t short_line = 4096;

inline char* put(std::string_view text, char* to) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

std::string format_time(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<milliseconds> clock(floor<milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", std::clamp(static_cast<int>(date.year()), 0, 9999),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

EventEncoder::EventEncoder(std::string_view host, std::string_view path, std::uint64_t identity)
    : before_offset_(fmt::format(R"(","host":{{"name":"{}"}},"log":{{"file":{{"path":"{}"}},"offset":)",
                                 escaped_json(host), escaped_json(path))),
      before_id_(fmt::format(R"(}},"@metadata":{{"_id":"{:016x}-)", identity)) {
  set_time(std::chrono::system_clock::now());
}

void EventEncoder::set_time(std::chrono::system_clock::time_point time) {
  before_message_ = fmt::format(R"({{"@timestamp":"{}","message":")", format_time(time));
}

void EventEncoder::encode(std::string_view line, std::uint64_t offset, EventBuffer& to) const {
  const std::size_t message = line.size() <= short_line ? line.size() * max_json_growth : json_size(line);
  char* const begin = to.prepare(before_message_.size() + message + json_slack + before_offset_.size() +
                                 before_id_.size() + 2 * max_digits + after_id.size());
  char* at = put(before_message_, begin);
  at = escape_json(line, at);
  at = put(before_offset_, at);
  char* const digits = at;
  at = std::to_chars(at, at + max_digits, offset).ptr;
  const std::string_view number(digits, static_cast<std::size_t>(at - digits));
  at = put(before_id_, at);
  at = put(number, at);
  at = put(after_id, at);
  to.commit(static_cast<std::size_t>(at - begin));
}

}  // namespace windlass::app
