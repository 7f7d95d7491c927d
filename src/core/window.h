// How many batches one worker may have in flight: the seam where a policy is put.
#pragma once

#include <memory>

#include "base/time.h"

namespace windlass::core {

/// Sizes the window of one worker from what happens to it. The balancer asks for window() before each hand-out, and
/// allows one batch only, whatever the policy says, to a worker that has failed and not succeeded since.
class WindowPolicy {
 public:
  virtual ~WindowPolicy() = default;

  /// Batches; at least 1.
  virtual unsigned window() const = 0;
  /// Why the window last changed, for people.
  virtual const char* reason() const = 0;

  virtual void on_connected(base::Time /*now*/) {}
  /// A batch was acknowledged in full, `round_trip` after it was sent, when `in_flight` batches were (itself included).
  virtual void on_acked(base::Duration /*round_trip*/, std::size_t /*in_flight*/, base::Time /*now*/) {}
  /// The endpoint asked for less, for all or for a part of a batch.
  virtual void on_throttled(base::Time /*now*/) {}
};

/// A window that never changes.
std::shared_ptr<WindowPolicy> fixed_window(unsigned batches);

}  // namespace windlass::core
