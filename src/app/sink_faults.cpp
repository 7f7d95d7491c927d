#include "app/sink_faults.h"

#include <charconv>

#include "app/units.h"

namespace windlass::app {
namespace {

constexpr double fastest = 1e12;

}  // namespace

std::optional<double> parse_rate(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with("/s")) text.remove_suffix(2);
  double factor = 1;
  if (text.ends_with('k') || text.ends_with('K')) factor = 1e3;
  if (text.ends_with('M')) factor = 1e6;
  if (factor != 1) text.remove_suffix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const double rate = number * factor;
  if (!(rate > 0 && rate <= fastest)) return std::nullopt;
  return rate;
}

}  // namespace windlass::app
