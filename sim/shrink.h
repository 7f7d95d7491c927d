// From a seed to a world, with changes; and from a failing world to a simpler one that fails likewise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenario.h"

namespace windlass::sim {

struct Change {
  const Figure* figure = nullptr;
  double value = 0;
};
using Changes = std::vector<Change>;

/// What makes a run.
struct Case {
  std::uint64_t seed = 0;
  Kind kind = Kind::drawn;
  Changes changes;
};

/// "name=value"; nothing where there is no such figure, or no value.
std::optional<Change> parse_change(std::string_view text);
Scenario make_scenario(const Case& what);

/// Makes one figure after another harmless, or nearer to it, as long as the same rule breaks.
Case shrink(Case what, const std::string& rule);

}  // namespace windlass::sim
