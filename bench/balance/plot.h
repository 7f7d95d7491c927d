// Plots as SVG.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace windlass::bench {

/// One measure of one scenario, by policy.
struct Row {
  std::string scenario;
  std::string measure;
  std::map<std::string, double> figures;
};

/// Writes latency.svg (times as multiples of the clairvoyant's, a line a scenario, a dot a policy) and share.svg (the
/// same of saturated worlds) into the directory. Throws std::runtime_error if that is not possible.
void write_plots(const std::string& directory, const std::vector<Row>& rows);

}  // namespace windlass::bench
