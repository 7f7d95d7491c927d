// Windlass: the Lumberjack protocol, version 2, which Logstash and Beats speak.
#pragma once

#include <windlass/endpoints.h>
#include <windlass/workers.h>

namespace windlass {

/// The port is 5044 where none is given.
struct LumberjackOptions : EndpointOptions {
  /// 0: none; 1 (fast) to 9 (small).
  int compression_level = 3;
};

/// Workers that send over Lumberjack. Events must be JSON objects. The factory throws std::invalid_argument for a host
/// or a proxy that cannot be read and for a compression level that there is not, and std::runtime_error, which names
/// the file, for certificates and keys that cannot be used.
WorkerFactory lumberjack_workers(LumberjackOptions options);

}  // namespace windlass
