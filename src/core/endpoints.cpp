#include "core/endpoints.h"

#include <algorithm>

#include "base/assert.h"

namespace windlass::core {

EndpointId Endpoints::meet(const std::string& name) {
  const auto known = std::find_if(records_.begin(), records_.end(),
                                  [&](const auto& record) { return !name.empty() && record.second.name == name; });
  if (known != records_.end()) return known->first;
  records_[next_].name = name;
  return next_++;
}

void Endpoints::joined(EndpointId endpoint) {
  if (records_.at(endpoint).workers++ == 0) std::erase(left_, endpoint);
}

void Endpoints::left(EndpointId endpoint) {
  Record& record = records_.at(endpoint);
  WINDLASS_ASSERT(record.workers > 0);
  if (--record.workers > 0) return;
  left_.push_back(endpoint);
  if (left_.size() <= most_left) return;
  records_.erase(left_.front());
  left_.pop_front();
}

const std::string& Endpoints::name(EndpointId endpoint) const {
  static const std::string nobody;
  const auto known = records_.find(endpoint);
  return known == records_.end() ? nobody : known->second.name;
}

void Endpoints::served(EndpointId endpoint) {
  ++served_;
  if (const auto known = records_.find(endpoint); known != records_.end()) known->second.last_served = served_;
}

bool Endpoints::served_since(EndpointId endpoint, std::uint64_t moment) const {
  const auto known = records_.find(endpoint);
  return known != records_.end() && known->second.last_served > moment;
}

}  // namespace windlass::core
