#include "shrink.h"

#include <algorithm>
#include <cstdlib>

#include "violation.h"
#include "world.h"

namespace windlass::sim {
namespace {

bool breaks(const Case& what, const std::string& rule) {
  try {
    World(make_scenario(what), nullptr).run();
  } catch (const Violation& violation) {
    return violation.rule() == rule;
  }
  return false;
}

Case with(Case what, const Figure& figure, double value) {
  std::erase_if(what.changes, [&](const Change& change) { return change.figure == &figure; });
  what.changes.push_back({&figure, value});
  return what;
}

}  // namespace

std::optional<Change> parse_change(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string value(text.substr(equals + 1));
  char* end = nullptr;
  const double parsed = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0') return std::nullopt;
  for (const Figure& figure : figures())
    if (figure.name == text.substr(0, equals)) return Change{&figure, parsed};
  return std::nullopt;
}

Scenario make_scenario(const Case& what) {
  Scenario scenario = draw_scenario(what.seed, what.kind);
  for (const Change& change : what.changes) scenario.*change.figure->value = change.value;
  return scenario;
}

Case shrink(Case what, const std::string& rule) {
  for (bool simpler = true; simpler;) {
    simpler = false;
    for (const Figure& figure : figures()) {
      const double now = make_scenario(what).*figure.value;
      // All the way, or half of it.
      for (const double value :
           {figure.harmless, static_cast<double>(static_cast<long>((now + figure.harmless) / 2))}) {
        if (value == now || (figure.harmless == 0 && value == 0 && now == 0)) continue;
        Case candidate = with(what, figure, value);
        if (!breaks(candidate, rule)) continue;
        what = std::move(candidate);
        simpler = true;
        break;
      }
    }
  }
  return what;
}

}  // namespace windlass::sim
