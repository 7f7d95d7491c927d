// The program's log: spdlog, to standard error.
#pragma once

#include "app/config.h"

namespace windlass::app {

/// Lines such as "07:08:09.123 warning ...", in colours on a terminal, of level info or above. To be called first.
void set_up_log();

/// Shows lines of this level and above from now on.
void set_log_level(LogLevel level);

}  // namespace windlass::app
