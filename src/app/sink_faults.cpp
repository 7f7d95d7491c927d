#include "app/sink_faults.h"

#include "app/units.h"

namespace windlass::app {
namespace {

constexpr std::size_t most_rates = 64;

}  // namespace

std::optional<std::vector<RateFrom>> parse_rates(std::string_view text) {
  std::vector<RateFrom> rates;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    const std::string_view part = trimmed(text.substr(0, comma));
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);

    RateFrom next;
    const auto at = part.find('@');
    if (rates.empty() != (at == std::string_view::npos) || rates.size() == most_rates) return std::nullopt;
    if (!rates.empty()) {
      const auto after = parse_duration(part.substr(at + 1));
      if (!after || *after <= rates.back().after) return std::nullopt;
      next.after = *after;
    }
    const auto rate = parse_rate(part.substr(0, at));
    if (!rate) return std::nullopt;
    next.rate = *rate;
    rates.push_back(next);
  }
  return rates;
}

}  // namespace windlass::app
