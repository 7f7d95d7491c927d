// The program's log: spdlog, to standard error.
#pragma once

#include "app/config.h"

namespace windlass::app {

/// Lines of at least this level, as "07:08:09.123 warning ..."; in colours on a terminal.
void set_up_log(LogLevel level);

}  // namespace windlass::app
