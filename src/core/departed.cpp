#include "core/departed.h"

namespace windlass::core {

void Departed::add(const Worker& worker) {
  WorkerOptions options = worker.options();
  if (!by_name_.contains(options.endpoint) && by_name_.size() >= most) options.endpoint = others;
  const auto [place, is_new] = by_name_.try_emplace(options.endpoint, Worker(options));
  Worker& departed = place->second;
  departed.absorb(worker);
  if (!is_new) return;
  departed.remove(base::never);
  departed.gone();
}

void Departed::hand_over(Worker& worker) {
  const auto before = by_name_.find(worker.options().endpoint);
  if (before == by_name_.end()) return;
  worker.absorb(before->second);
  by_name_.erase(before);
}

void Departed::add_statistics(std::vector<WorkerStatistics>& statistics, base::Time now) const {
  for (const auto& [endpoint, worker] : by_name_) statistics.push_back(worker.statistics(now));
}

}  // namespace windlass::core
