// The scenarios, what is measured of each, and what is to be reached.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "world.h"

namespace windlass::bench {

/// A figure of an outcome.
struct Measure {
  std::string name;
  std::string unit;
  std::function<double(const World&, const Outcome&)> take;
};

/// A measure, and how good it is to be.
struct Goal {
  enum class Kind {
    ratio_to_clairvoyant,  ///< at most so many times what the clairvoyant reaches
    at_most,
    at_least,
    ratio_to_best_rival,  ///< at most so many times the best of the others
  };
  Measure measure;
  Kind kind = Kind::ratio_to_clairvoyant;
  double bound = 1;
};

struct Scenario {
  std::string name;
  /// `scale` of the usual amount of work.
  std::function<World(std::uint64_t seed, double scale)> make;
  std::vector<Goal> goals;
  std::string remark{};
  double seeds = 1;  ///< of the usual number
};

const std::vector<Scenario>& scenarios();

}  // namespace windlass::bench
