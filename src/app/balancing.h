// From the configuration to a balancer: what ship and relay send with, beside the workers (output.h).
#pragma once

#include <windlass/load_balancer.h>

#include "app/config.h"

namespace windlass::app {

/// What the configuration says of budgets, batches and deadlines.
LoadBalancerOptions balancer_options(const Config& config);

}  // namespace windlass::app
