// Windlass: what a publisher hears.
#pragma once

#include <cstdint>
#include <functional>
#include <system_error>

namespace windlass {

/// How a publish ended.
struct Outcome {
  std::error_code reason;    ///< none: every event was acknowledged by an endpoint; else why the last failed one failed
  std::uint32_t acked = 0;   ///< events of this publish that were acknowledged
  std::uint32_t failed = 0;  ///< events of this publish that were dropped or dead-lettered
  std::uint32_t dead_lettered = 0;  ///< of the failed ones, those that were handed to the dead letter
};

/// Called exactly once for each accepted publish, from the balancer's loop thread, never after close() has returned. It
/// must return soon and must not throw; it may publish again. A callable of 16 bytes or less that is trivially copyable
/// costs no allocation.
using Signal = std::function<void(const Outcome&)>;

}  // namespace windlass
