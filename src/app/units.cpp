#include "app/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace windlass::app {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// Longer names before those that they begin with.
constexpr std::array<Unit, 8> duration_units{
    {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};

constexpr std::array<Unit, 3> rate_units{{{"/s", 1}, {"/min", 60}, {"/h", 3600}}};

constexpr std::array<Unit, 14> size_units{{{"", 1},
                                           {"b", 1},
                                           {"k", 1e3},
                                           {"kb", 1e3},
                                           {"m", 1e6},
                                           {"mb", 1e6},
                                           {"g", 1e9},
                                           {"gb", 1e9},
                                           {"t", 1e12},
                                           {"tb", 1e12},
                                           {"kib", 1024.0},
                                           {"mib", 1024.0 * 1024},
                                           {"gib", 1024.0 * 1024 * 1024},
                                           {"tib", 1024.0 * 1024 * 1024 * 1024}}};

constexpr double longest_duration = 9.2e18;
constexpr double largest_size = 9007199254740992.0;  // 2^53
constexpr double highest_rate = 1e12;

/// Takes "12" or "1.5" from the front; a sign, an exponent or "inf" is no number here.
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || (text[0] != '.' && (text[0] < '0' || text[0] > '9'))) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::optional<base::Duration> parse_duration(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  double total = 0;
  bool first = true;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    double factor = 1e9;
    if (!(first && text.empty())) {
      const auto unit = std::find_if(duration_units.begin(), duration_units.end(),
                                     [&](const Unit& candidate) { return text.starts_with(candidate.name); });
      if (unit == duration_units.end()) return std::nullopt;
      text.remove_prefix(unit->name.size());
      factor = unit->factor;
    }
    total += *number * factor;
    first = false;
  }
  if (!(total <= longest_duration)) return std::nullopt;
  return base::Duration(std::llround(total));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  text = trimmed(text);
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  const std::string name = to_lower(trimmed(text));
  const auto unit =
      std::find_if(size_units.begin(), size_units.end(), [&](const Unit& candidate) { return candidate.name == name; });
  if (unit == size_units.end()) return std::nullopt;
  const double bytes = *number * unit->factor;
  if (!(bytes <= largest_size)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::optional<double> parse_share(std::string_view text) {
  text = trimmed(text);
  auto number = take_number(text);
  text = trimmed(text);
  if (!number || !(text.empty() || text == "%")) return std::nullopt;
  if (!text.empty()) *number /= 100;
  return *number <= 1 ? number : std::nullopt;
}

std::optional<double> parse_rate(std::string_view text) {
  text = trimmed(text);
  double seconds = 1;
  for (const Unit& unit : rate_units) {
    if (!text.ends_with(unit.name)) continue;
    text.remove_suffix(unit.name.size());
    seconds = unit.factor;
  }
  double factor = 1;
  if (text.ends_with('k') || text.ends_with('K')) factor = 1e3;
  if (text.ends_with('M')) factor = 1e6;
  if (factor != 1) text.remove_suffix(1);
  const auto number = take_number(text);
  if (!number || !text.empty()) return std::nullopt;
  const double rate = *number * factor / seconds;
  if (!(rate > 0 && rate <= highest_rate)) return std::nullopt;
  return rate;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = to_lower(trimmed(text));
  if (word == "true" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "no" || word == "off") return false;
  return std::nullopt;
}

std::string format_duration(base::Duration duration) {
  const std::int64_t total = duration.count();
  if (total < 1'000'000'000) {
    if (total >= 1'000'000) return fmt::format("{}ms", static_cast<double>(total) / 1e6);
    if (total >= 1'000) return fmt::format("{}us", static_cast<double>(total) / 1e3);
    return total == 0 ? "0s" : fmt::format("{}ns", total);
  }
  const std::int64_t minutes = total / 60'000'000'000;
  const double seconds = static_cast<double>(total % 60'000'000'000) / 1e9;
  std::string text;
  if (minutes >= 60) text += fmt::format("{}h", minutes / 60);
  if (minutes % 60 != 0) text += fmt::format("{}m", minutes % 60);
  if (seconds != 0) text += fmt::format("{}s", seconds);
  return text;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> names{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < names.size(); ++unit) value /= 1024;
  return fmt::format("{:.{}f} {}", value, value < 10 ? 1 : 0, names[unit]);
}

std::string format_count(double count) {
  constexpr std::array<const char*, 5> letters{"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  for (; count >= 999.5 && unit + 1 < letters.size(); ++unit) count /= 1000;
  const int decimals = unit == 0 || count >= 99.95 ? 0 : count >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f}{}", count, decimals, letters[unit]);
}

}  // namespace windlass::app
