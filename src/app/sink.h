// windlass sink: an endpoint to try things against.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "app/sink_faults.h"

namespace windlass::app {

struct SinkOptions {
  std::vector<ListenConfig> listen;  ///< at least one
  std::string record;                ///< a file, see recorder.h; empty: none
  std::string report;                ///< a file, or "-" for standard output, see sink_report.h; empty: none
  /// Elasticsearch: indexes of these names are data streams. Each may have * for any text.
  std::vector<std::string> data_streams;
  SinkFaults faults;
};

/// Listens, and takes and acknowledges events until SIGINT or SIGTERM. For each listener it prints a line on standard
/// output once connections can be made: "listening on lumberjack://127.0.0.1:40123", with the port that was found.
///
/// The first signal ends listening, acknowledges what was taken, closes, and writes the report; a second one leaves
/// out what would take time. Returns the exit code: exit_usage where it cannot listen or record at all,
/// exit_incomplete when record or report could not be written, or after a second signal.
int run_sink(const SinkOptions& options);

}  // namespace windlass::app
