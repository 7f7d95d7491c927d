// What a sink did.
#pragma once

#include <cstdint>
#include <string>

#include "app/report.h"

namespace windlass::app {

struct SinkCounters {
  std::uint64_t events = 0;           ///< taken, duplicates included
  std::uint64_t acked = 0;            ///< of them
  std::uint64_t rejected = 0;         ///< not taken, because of reject_every, or for what they are
  std::uint64_t throttled = 0;        ///< not taken, because of throttle_every
  std::uint64_t failed = 0;           ///< not taken, as they contain fail
  std::uint64_t known = 0;            ///< not taken, as one with that id was
  std::uint64_t replaced = 0;         ///< taken in the place of one with that id
  std::uint64_t bytes = 0;            ///< of them, as JSON
  std::uint64_t windows = 0;          ///< taken whole
  std::uint64_t acks = 0;             ///< sent
  std::uint64_t keep_alives = 0;      ///< sent
  std::uint64_t connections = 0;      ///< accepted
  std::uint64_t refused = 0;          ///< connections reset, because of refuse_for
  std::uint64_t failed_accepts = 0;   ///< connections that could not be accepted, or whose TLS handshake failed
  std::uint64_t protocol_errors = 0;  ///< connections closed because of what came over them
  std::uint64_t idle_closes = 0;      ///< connections closed because nothing came over them
};

/// One JSON object, indented, with a newline at its end: each counter by its name, then seconds, cpu_seconds and
/// max_rss_bytes.
std::string sink_report_json(const SinkCounters& counters, double seconds, const Resources& resources);

}  // namespace windlass::app
