#include "wire/bulk.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/text.h"
#include "wire/json_reading.h"

namespace windlass::wire::bulk {

namespace ondemand = simdjson::ondemand;
using std::chrono::sys_seconds;

namespace {

bool number(std::string_view text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// "2024-05-06T07:08:09.123Z", or with +02:00 instead of Z; nothing when it is something else. In
/// seconds, since nanoseconds do not reach as far as dates do.
std::optional<std::chrono::sys_seconds> parse_timestamp(std::string_view text) {
  int year, month, day, hour, minute, second;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  if (!number(text.substr(0, 4), year) || !number(text.substr(5, 2), month) || !number(text.substr(8, 2), day) ||
      !number(text.substr(11, 2), hour) || !number(text.substr(14, 2), minute) || !number(text.substr(17, 2), second))
    return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (year < 0 || !date.ok()) return std::nullopt;
  std::chrono::sys_seconds time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                                  std::chrono::minutes(minute) + std::chrono::seconds(second);
  const auto sign = text.find_first_of("+-", 19);
  int east_hours = 0, east_minutes = 0;
  if (sign != std::string_view::npos && text.size() >= sign + 5 && number(text.substr(sign + 1, 2), east_hours) &&
      number(text.substr(text.size() - 2), east_minutes)) {
    const auto east = std::chrono::hours(east_hours) + std::chrono::minutes(east_minutes);
    time += text[sign] == '+' ? -east : east;
  }
  return time;
}

}  // namespace

std::string_view to_string(Operation operation) {
  return operation == Operation::create ? "create" : "index";
}

IndexName::IndexName(std::string_view pattern) {
  constexpr std::pair<std::string_view, char> words[] = {{"yyyy", 'y'}, {"yy", 'Y'}, {"MM", 'M'}, {"dd", 'd'},
                                                         {"HH", 'H'},   {"mm", 'm'}, {"ss", 's'}};
  const std::string quoted = fmt::format("\"{}\"", pattern);
  while (!pattern.empty()) {
    const auto open = std::min(pattern.find("%{"), pattern.size());
    if (open > 0) parts_.push_back({0, base::to_lower(pattern.substr(0, open))});
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const auto close = pattern.find('}');
    if (!pattern.starts_with("%{+") || close == std::string_view::npos)
      throw std::invalid_argument(fmt::format("expected a date such as %{{+yyyy.MM.dd}} after each %, got {}", quoted));
    std::string_view date = pattern.substr(3, close - 3);
    pattern.remove_prefix(close + 1);
    has_date_ = true;
    while (!date.empty()) {
      const auto word = std::ranges::find_if(words, [&](const auto& known) { return date.starts_with(known.first); });
      if (word != std::end(words)) {
        parts_.push_back({word->second, {}});
        date.remove_prefix(word->first.size());
      } else if ((date[0] >= 'a' && date[0] <= 'z') || (date[0] >= 'A' && date[0] <= 'Z')) {
        throw std::invalid_argument(fmt::format("expected yyyy, yy, MM, dd, HH, mm or ss in a date, got {}", quoted));
      } else {
        parts_.push_back({0, std::string(date.substr(0, 1))});
        date.remove_prefix(1);
      }
    }
  }
  if (parts_.empty()) throw std::invalid_argument("expected the name of an index, got an empty text");
}

void IndexName::append(std::chrono::sys_seconds time, std::string& to) const {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto two = [&](auto value) { fmt::format_to(std::back_inserter(to), "{:02}", value); };
  for (const Part& part : parts_) {
    switch (part.letter) {
      case 'y':
        fmt::format_to(std::back_inserter(to), "{:04}", static_cast<int>(date.year()));
        break;
      case 'Y':
        two(static_cast<int>(date.year()) % 100);
        break;
      case 'M':
        two(static_cast<unsigned>(date.month()));
        break;
      case 'd':
        two(static_cast<unsigned>(date.day()));
        break;
      case 'H':
        two(clock.hours().count());
        break;
      case 'm':
        two(clock.minutes().count());
        break;
      case 's':
        two(clock.seconds().count());
        break;
      default:
        to += part.text;
    }
  }
}

struct RequestEncoder::Parsers {
  ondemand::parser event;
  ondemand::parser metadata;
};

RequestEncoder::RequestEncoder(Operation operation, IndexName index)
    : operation_(operation), index_(std::move(index)), parsers_(std::make_unique<Parsers>()) {}
RequestEncoder::~RequestEncoder() = default;

std::string_view RequestEncoder::add(std::string_view event, base::WallTime now, base::ByteQueue& out) {
  constexpr std::string_view no_object = "it is no JSON object";
  const auto text = padded(event, scratch_);
  ondemand::document document;
  ondemand::object object;
  if (parsers_->event.iterate(text).get(document) || document.get_object().get(object)) return no_object;
  std::string_view metadata;  // with its braces
  const char* key_of_metadata = nullptr;
  auto time = std::chrono::floor<std::chrono::seconds>(now);
  for (auto field : object) {
    ondemand::raw_json_string key;
    if (field.key().get(key)) return no_object;
    const std::string_view rest(key.raw(), static_cast<std::size_t>(text.data() + text.size() - key.raw()));
    if (rest.starts_with("@metadata\"")) {
      ondemand::object value;
      if (field.value().get_object().get(value)) continue;  // something else of that name is part of the document
      if (value.raw_json().get(metadata)) return no_object;
      key_of_metadata = key.raw() - 1;
    } else if (index_.has_date() && rest.starts_with("@timestamp\"")) {
      std::string_view value;
      if (!field.value().get_string().get(value)) time = parse_timestamp(value).value_or(time);
    }
  }
  if (!at_end(document)) return no_object;

  std::string_view id;  // with its quotes
  if (key_of_metadata != nullptr) {
    ondemand::document inner;
    ondemand::value value;
    const std::size_t room = static_cast<std::size_t>(text.data() + text.size() - metadata.data());
    const simdjson::padded_string_view span(metadata.data(), metadata.size(), room + simdjson::SIMDJSON_PADDING);
    if (!parsers_->metadata.iterate(span).get(inner) && !inner["_id"].get(value))
      id = trimmed_json(value.raw_json_token());
    if (!id.starts_with('"') || id == "\"\"") id = {};
    // Escaped, it is no shorter than it is.
    std::string_view plain;
    if (id.size() > longest_id + 2 && !value.get_string().get(plain) && plain.size() > longest_id)
      return "its @metadata._id is longer than the 512 bytes that an id may have";
  }

  name_.clear();
  index_.append(time, name_);
  out.append("{\"");
  out.append(to_string(operation_));
  out.append("\":{\"_index\":\"");
  out.append(name_);
  out.append("\"");
  if (!id.empty()) {
    out.append(",\"_id\":");
    out.append(id);
  }
  out.append("}}\n");

  // The document, without that member and the comma that belongs to it. A newline in JSON stands between tokens only.
  const std::size_t begin = out.size();
  if (key_of_metadata == nullptr) {
    out.append(event);
  } else {
    const std::string_view whole(text.data(), text.size());
    auto from = static_cast<std::size_t>(key_of_metadata - whole.data());
    auto to = static_cast<std::size_t>(metadata.data() + metadata.size() - whole.data());
    const auto before = whole.find_last_not_of(json_blanks, from - 1);
    const auto after = whole.find_first_not_of(json_blanks, to);
    if (whole[before] == ',')
      from = before;
    else if (after < whole.size() && whole[after] == ',')
      to = after + 1;
    out.append(whole.substr(0, from));
    out.append(whole.substr(to));
  }
  std::replace_if(
      out.data() + begin, out.data() + out.size(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  out.append("\n");
  return {};
}

namespace {

constexpr std::size_t longest_error = 500;

/// Appends what a person may read of `text`, behind `separator`.
void append_readable(std::string_view separator, std::string_view text, std::string& to) {
  const std::size_t length = to.size() + separator.size();
  if (text.empty() || length >= longest_error) return;
  if (const std::size_t room = longest_error - length; text.size() > room) {
    std::size_t end = room;  // not in the midst of a character of UTF-8
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end);
  }
  to += separator;
  for (const char c : text) to += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
}

/// An item's error: an object with a type and a reason, and likewise what it was caused by; or, from old versions, a
/// text.
std::string read_error(simdjson::dom::element value) {
  std::string error;
  std::string_view text;
  if (!value.get_string().get(text)) append_readable({}, text, error);
  simdjson::dom::object object;
  for (bool more = true; more && !value.get_object().get(object);) {
    more = false;
    std::string_view type, reason;
    for (const auto& [name, member] : object) {
      if (name == "type" && !member.get_string().get(text)) type = text;
      if (name == "reason" && !member.get_string().get(text)) reason = text;
      if (name != "caused_by") continue;
      value = member;
      more = true;
    }
    const std::string_view before = error.empty() ? "" : ", caused by ";
    append_readable(before, type, error);
    append_readable(type.empty() ? before : ": ", reason, error);
  }
  return error;
}

/// An item: one action, with a status. False when it is none.
bool read_item(simdjson::dom::element element, ItemResult& result) {
  simdjson::dom::object item, action;
  if (element.get_object().get(item) || item.size() != 1) return false;
  if ((*item.begin()).value.get_object().get(action)) return false;
  bool found = false;
  for (const auto& [name, value] : action) {
    std::uint64_t status = 0;
    if (name == "error") result.error = read_error(value);
    if (name != "status") continue;
    if (std::exchange(found, true) || value.get_uint64().get(status) || status < 200 || status > 599) return false;
    result.status = static_cast<unsigned>(status);
  }
  if (result.status < 300) result.error.clear();
  return found;
}

}  // namespace

std::optional<std::vector<ItemResult>> read_answer(std::string_view body) {
  if (body.empty()) return std::nullopt;  // simdjson would copy nothing from nowhere, which is undefined
  simdjson::dom::parser parser;           // reads all of it, so that nothing that is no JSON is taken for an answer
  simdjson::dom::element whole;
  simdjson::dom::object answer;
  if (parser.parse(body.data(), body.size()).get(whole) || whole.get_object().get(answer)) return std::nullopt;
  std::optional<std::vector<ItemResult>> results;
  for (const auto& [name, value] : answer) {
    simdjson::dom::array items;
    if (name != "items") continue;
    if (results || value.get_array().get(items)) return std::nullopt;
    results.emplace();
    for (const simdjson::dom::element item : items)
      if (!read_item(item, results->emplace_back())) return std::nullopt;
  }
  return results;
}

}  // namespace windlass::wire::bulk
