// From the configuration to a balancer: what ship and relay send with, beside the workers (endpoint_watch.h).
#pragma once

#include <memory>

#include <windlass/load_balancer.h>

#include "app/config.h"
#include "app/dead_letter_file.h"

namespace windlass::app {

/// What the configuration says of budgets, batches and deadlines.
LoadBalancerOptions balancer_options(const Config& config);
/// The file for dead letters, which must outlive the balancer; null where the configuration has none. Throws
/// std::system_error that names it when it cannot be opened.
std::unique_ptr<DeadLetterFile> keep_dead_letters(const Config& config, LoadBalancerOptions& options);

}  // namespace windlass::app
