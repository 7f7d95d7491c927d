// All endpoints of an output, tried: what windlass test output finds.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "app/probe.h"

namespace windlass::app {

/// What came of trying one endpoint, or of looking up a service, which has one step, "SRV".
struct Trial {
  std::string endpoint;
  std::vector<ProbeStep> steps;
  bool passed = false;
  bool is_service = false;
};

/// Tries all of them at once, each target of a service, too; in the order of the hosts. Throws when certificates of
/// ours cannot be used.
std::vector<Trial> try_endpoints(const OutputConfig& output, bool send_event);

}  // namespace windlass::app
