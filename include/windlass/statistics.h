// Windlass: what the balancer has done and is doing, as a snapshot.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <windlass/error.h>

namespace windlass {

/// Where every accepted event is, in events. At every moment
/// accepted = acked + dropped (all reasons) + dead_lettered + queued + in_flight.
struct Ledger {
  std::uint64_t accepted = 0;
  std::uint64_t acked = 0;
  std::map<errc, std::uint64_t> dropped;  ///< signalled as failed, by reason
  std::uint64_t dead_lettered = 0;        ///< handed to the dead letter, and signalled as failed
  std::uint64_t queued = 0;               ///< waiting to be sent, or to be sent again
  std::uint64_t in_flight = 0;            ///< sent, no answer yet

  std::uint64_t refused = 0;     ///< never accepted
  std::uint64_t retried = 0;     ///< events that went back to the queue after a send (an event may count several times)
  std::uint64_t hedged = 0;      ///< events sent a second time on purpose, while the first send was under way
  std::uint64_t duplicates = 0;  ///< acknowledgements of events that were finished already

  std::uint64_t dropped_total() const {
    std::uint64_t sum = 0;
    for (const auto& [reason, count] : dropped) sum += count;
    return sum;
  }
  bool balanced() const { return accepted == acked + dropped_total() + dead_lettered + queued + in_flight; }
};

/// Times from send to acknowledgement.
struct Latency {
  std::uint64_t count = 0;
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds max{0};
};

/// What a connection is doing.
enum class WorkerState {
  standby,  ///< not wanted: a better one is in use
  waiting,  ///< for its backoff before it connects
  connecting,
  connected,  ///< participates
  resting,    ///< connected, but for its backoff it draws nothing
  closing,
  left,  ///< the endpoint is not in the set any more: these are the figures of its connections
};

/// The word for a state: "standby", "waiting", ...
const char* to_string(WorkerState state) noexcept;

/// One connection.
struct WorkerStatistics {
  std::string endpoint;  ///< as configured; several connections may share it
  WorkerState state = WorkerState::standby;
  std::uint64_t acked = 0;            ///< events
  std::uint64_t batches = 0;          ///< sends that were acknowledged in full
  std::uint64_t failed_attempts = 0;  ///< sends that were not
  std::uint64_t connects = 0;         ///< connections that were made
  std::uint64_t in_flight = 0;        ///< events
  unsigned window = 0;                ///< batches that may be in flight
  std::string window_reason;          ///< why the window last changed
  std::error_code last_error;
  Latency latency;
  double rate_limit = 0;  ///< events a second that its endpoint is given at most; 0: as many as it takes
  /// For how long, in all, its endpoint could be given nothing because of that.
  std::chrono::nanoseconds at_rate_limit{0};
};

/// The queue on disk.
struct DiskQueueStatistics {
  std::uint64_t events = 0;         ///< stored and not settled
  std::uint64_t bytes = 0;          ///< of the files that hold them
  std::uint64_t max_bytes = 0;      ///< as configured
  std::uint64_t segments = 0;       ///< files
  std::uint64_t syncs = 0;          ///< by this balancer
  std::uint64_t recovered = 0;      ///< events that were there when it started
  std::uint64_t damaged = 0;        ///< events that could not be read back; in the ledger, dropped as errc::damaged
  std::uint64_t unfinished = 0;     ///< events of writes that a crash cut short before they counted as durable
  std::uint64_t kept_bytes = 0;     ///< of damaged files that were kept (*.damaged)
  bool full = false;                ///< publishers wait for room
  std::error_code error;            ///< why storing fails at the moment
  std::vector<std::string> damage;  ///< what was found to be damaged, a line each
};

struct Statistics {
  /// With a queue on disk, `accepted` counts what it held at the start as well, and what stays there at the end is
  /// `queued`.
  Ledger ledger;
  std::vector<WorkerStatistics> workers;
  std::optional<DiskQueueStatistics> disk;
};

}  // namespace windlass
