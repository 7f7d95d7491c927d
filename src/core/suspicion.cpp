#include "core/suspicion.h"

#include <algorithm>

namespace windlass::core {

void Suspicion::failed_at(EndpointId endpoint, const Endpoints& endpoints, bool named) {
  if (!begun_) since_ = endpoints.moment();
  begun_ = true;
  named_ &= named;
  ++failures_;
  if (std::find(accusers_.begin(), accusers_.end(), endpoint) == accusers_.end()) accusers_.push_back(endpoint);
}

void Suspicion::split(const Endpoints& endpoints) {
  clear();
  since_ = endpoints.moment();
  begun_ = true;
  is_half_ = true;
}

std::size_t Suspicion::serving(const Endpoints& endpoints) const {
  return static_cast<std::size_t>(std::count_if(accusers_.begin(), accusers_.end(), [&](EndpointId endpoint) {
    return endpoints.served_since(endpoint, since_);
  }));
}

bool Suspicion::undeliverable(const Endpoints& endpoints) const {
  const std::size_t serve = serving(endpoints);
  return serve >= 2 || (serve == 1 && keeps_failing());
}

}  // namespace windlass::core
