// What a sink does wrong or slowly, because it was asked to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace windlass::app {

/// A rate that holds from a time on.
struct RateFrom {
  base::Duration after{0};  ///< since the start
  double rate = 0;          ///< events in a second, above 0
  friend bool operator==(const RateFrom&, const RateFrom&) = default;
};

/// Zero, empty and false: not asked for. To take an event is to read it, count it, and record it where there is a
/// record.
struct SinkFaults {
  /// Each ack comes this much later than it could. Windows that came meanwhile wait side by side, not one after
  /// another.
  base::Duration delay{0};
  /// Events that the whole sink takes in a second, all connections in turns; others stay unread. By time, the first
  /// from the start; empty: without limit.
  std::vector<RateFrom> rates;
  /// Each connection is closed after that many events: these are acknowledged first, and no further ones are taken.
  std::uint64_t close_after = 0;
  /// Of a window with more events, only so many are taken and acknowledged; then the connection is closed.
  std::uint32_t ack_partial = 0;
  /// An event that contains this text is not taken; the connection is closed there, and nothing of its window is
  /// acknowledged: a server that dies of an event.
  std::string poison;
  /// Events are taken but never acknowledged; instead there is a keep-alive a second.
  bool keepalive_only = false;
  /// From the start, connections are reset as soon as they are made, for this long.
  base::Duration refuse_for{0};
  /// HTTP and Elasticsearch: every request is answered with this status, and nothing of it is taken.
  unsigned status = 0;
  /// The same two: requests with a larger body are answered by 413.
  std::uint64_t max_body = 0;
  /// Elasticsearch: what goes to indexes of these names is answered by 403, as if they were blocked for writing. Each
  /// may have * for any text.
  std::vector<std::string> blocked;
  /// Elasticsearch: every so many events of the whole sink, one is not taken but rejected (400), or throttled (429).
  std::uint64_t reject_every = 0;
  std::uint64_t throttle_every = 0;
  /// Elasticsearch: an event that contains this text is not taken but answered by 500, as by a pipeline that fails.
  std::string fail;
  /// Connections that are closed by a fault are closed with RST, not with FIN; an ack just before may be lost. (Where
  /// a peer has sent more than was read, the kernel makes an RST of a FIN anyway.)
  bool reset = false;
};

/// One rate, or several with the time since the start from which each later one holds: "20k/s,1k/s@5s,20k/s@10s".
/// Nothing when a part is no rate, a time is missing or none, or times do not ascend; at most 64 of them.
std::optional<std::vector<RateFrom>> parse_rates(std::string_view text);

}  // namespace windlass::app
