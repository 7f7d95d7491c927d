// Shares by weight: who of several that are as good for a batch gets it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/action.h"

namespace windlass::core {

/// Smooth weighted round robin: each of those that could have had a batch is credited with its share of the cost, by
/// weight, and who gets it pays all of it. So shares follow the weights as evenly as batches allow, whatever their
/// sizes, and nobody saves up more than about a batch while others are better.
class Shares {
 public:
  /// A worker with this id is new.
  void joined(WorkerId worker) {
    if (worker >= credits_.size()) credits_.resize(worker + 1);
    credits_[worker] = 0;
  }

  /// One of `workers`, of which there is one at least; `weight_of` gives a number above 0, `cost_at` what the batch
  /// would cost there.
  template <typename WeightOf, typename CostAt>
  WorkerId pick(const std::vector<WorkerId>& workers, const WeightOf& weight_of, const CostAt& cost_at) {
    double total = 0;
    for (const WorkerId worker : workers) total += weight_of(worker);
    const auto would_have = [&](WorkerId worker) {
      return credits_[worker] + cost_at(worker) * weight_of(worker) / total;
    };
    const WorkerId picked = *std::max_element(workers.begin(), workers.end(),
                                              [&](WorkerId a, WorkerId b) { return would_have(a) < would_have(b); });
    const double cost = cost_at(picked);
    for (const WorkerId worker : workers) credits_[worker] += cost * weight_of(worker) / total;
    credits_[picked] -= cost;
    return picked;
  }

 private:
  std::vector<double> credits_;
};

}  // namespace windlass::core
