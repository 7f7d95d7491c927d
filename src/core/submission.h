// What a publisher hands over.
#pragma once

#include <cstdint>
#include <system_error>
#include <vector>

#include <windlass/event_buffer.h>
#include <windlass/signal.h>

namespace windlass::core {

/// Who is to hear of the end of the events in a submission.
enum class Signalling {
  none,
  all,   ///< the submission is one publish
  each,  ///< each event is a publish of its own
};

/// Events and how they are to be treated. Filled by the publisher, then owned by the balancer until all of its events
/// are settled; batches in the hands of clients keep its memory alive for longer where they must.
struct Submission : EventBuffer {
  bool guaranteed = false;
  Signalling signalling = Signalling::none;
  /// Carried for the publisher, by event or a single one; the balancer never calls them.
  std::vector<Signal> signals;
  /// Carried for the publisher, who wants them as soon as a queue on disk has the events.
  bool signal_at_durable = false;

  // Kept by the balancer.
  std::uint32_t acked = 0;
  std::uint32_t failed = 0;
  std::uint32_t dead_lettered = 0;  ///< of the failed ones
  std::error_code failure;          ///< why the last failed event failed
};

}  // namespace windlass::core
