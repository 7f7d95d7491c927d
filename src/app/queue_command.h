// windlass queue: looks into a queue on disk.
#pragma once

#include <string>

namespace windlass::app {

struct QueueOptions {
  enum class What {
    stat,    ///< tells what it holds
    verify,  ///< reads all of it
    dump     ///< writes what is not acknowledged to standard output, one event a line
  } what = What::stat;
  std::string path;
};

/// Returns the exit code: exit_incomplete when something is damaged (or could not be written), exit_usage when there is
/// no queue, or somebody works with it. Changes nothing.
int run_queue(const QueueOptions& options);

}  // namespace windlass::app
