// The figures of endpoints that are not there any more, so that sums over endpoints stay right.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <windlass/statistics.h>

#include "base/time.h"
#include "core/worker.h"

namespace windlass::core {

/// What the workers of endpoints did of which every worker has left. The first `most` of them are kept by name; what
/// further ones did is added up under one name, so that a set that changes for ever takes no more memory.
class Departed {
 public:
  static constexpr std::size_t most = 256;
  static constexpr const char* others = "(others that left)";

  /// The last worker of its endpoint has left.
  void add(const Worker& worker);
  /// The worker is the first one of its endpoint again: it goes on with the figures, where they were kept by name.
  void hand_over(Worker& worker);
  void add_statistics(std::vector<WorkerStatistics>& statistics, base::Time now) const;

 private:
  std::map<std::string, Worker> by_name_;
};

}  // namespace windlass::core
