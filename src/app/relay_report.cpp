#include "app/relay_report.h"

namespace windlass::app {

const char* to_string(RelayEnd end) noexcept {
  switch (end) {
    case RelayEnd::none:
      return "none";
    case RelayEnd::stopped:
      return "stopped";
    case RelayEnd::protocol_error:
      return "protocol_error";
    case RelayEnd::half_window:
      return "half_window";
    case RelayEnd::idle:
      return "idle";
    case RelayEnd::deaf:
      return "deaf";
    case RelayEnd::memory:
      return "memory";
    case RelayEnd::dropped:
      return "dropped";
  }
  return "unknown";
}

}  // namespace windlass::app
