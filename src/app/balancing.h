// From the configuration to a balancer: what ship and relay send with.
#pragma once

#include <windlass/load_balancer.h>
#include <windlass/workers.h>

#include "app/config.h"

namespace windlass::app {

/// The connections to the output's hosts. The factory throws as those of the protocols do.
WorkerFactory workers_of(const OutputConfig& output);

/// What the configuration says of budgets, batches and deadlines.
LoadBalancerOptions balancer_options(const Config& config);

}  // namespace windlass::app
