// From the configuration to a balancer: what ship and relay send with, beside the workers (output.h).
#pragma once

#include <memory>

#include <windlass/load_balancer.h>

#include "app/config.h"
#include "app/dead_letter_file.h"
#include "app/watch.h"

namespace windlass::app {

/// The connections to the output's hosts, as workers_of() makes them. `watch` hears of changes of their TLS files, and
/// must outlive them.
WorkerFactory watched_workers(const Config& config, Watch& watch);

/// What the configuration says of budgets, batches and deadlines.
LoadBalancerOptions balancer_options(const Config& config);
/// The file for dead letters, which must outlive the balancer; null where the configuration has none. Throws
/// std::system_error that names it when it cannot be opened.
std::unique_ptr<DeadLetterFile> keep_dead_letters(const Config& config, LoadBalancerOptions& options);

}  // namespace windlass::app
