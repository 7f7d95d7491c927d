#include <windlass/statistics.h>

namespace windlass {

const char* to_string(WorkerState state) noexcept {
  switch (state) {
    case WorkerState::standby:
      return "standby";
    case WorkerState::waiting:
      return "waiting";
    case WorkerState::connecting:
      return "connecting";
    case WorkerState::connected:
      return "connected";
    case WorkerState::resting:
      return "resting";
    case WorkerState::closing:
      return "closing";
    case WorkerState::left:
      return "left";
  }
  return "unknown";
}

}  // namespace windlass
