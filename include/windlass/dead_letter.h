// Windlass: events that no endpoint will take.
#pragma once

#include <string>
#include <system_error>
#include <vector>

#include <windlass/batch.h>

namespace windlass {

/// Events that are given up, with their contents, so that somebody can look at them and send them again.
struct DeadLetter {
  Batch events;
  /// errc::rejected: an endpoint refused them for good. errc::undeliverable: a single event that endpoints fail with
  /// which serve others well.
  std::error_code reason;
  std::error_code error;               ///< what the endpoint said last
  unsigned attempts = 0;               ///< how often they were sent, the last time with it
  std::vector<std::string> endpoints;  ///< who refused them, as configured
  std::string detail;                  ///< what the endpoint said of them, in its own words; may be empty
};

}  // namespace windlass
