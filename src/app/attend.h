// A run from its start to its end: progress meanwhile, and what a signal does to it.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include <windlass/load_balancer.h>

#include "app/config.h"
#include "app/report.h"
#include "app/signals.h"
#include "app/watch.h"
#include "base/time.h"

namespace windlass::app {

/// Shows progress until `done`, which whoever sets it follows by signals.wake(). SIGINT or SIGTERM calls `stop`, once,
/// and gives what was accepted `shutdown_timeout` to be delivered; another one closes the balancer at once.
void attend(Signals& signals, Watch& watch, LoadBalancer& balancer, const std::atomic<bool>& done,
            base::Duration shutdown_timeout, const std::function<void()>& stop);

/// Shows the report to people, unless it goes to standard output ("-"), and writes it to the file, if any; where events
/// go to standard output, people find it on standard error. False when that could not be done, which is logged.
bool tell(const Report& report, const std::string& file, OutputType output);

}  // namespace windlass::app
