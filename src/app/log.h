// The program's log: spdlog, to standard error.
#pragma once

#include "app/config.h"

namespace windlass::app {

/// Lines such as "07:08:09.123 warning ...", in colours on a terminal, of level info or above. To be called first.
void set_up_log();

/// Shows lines of the level that it wants and above from now on, and its warnings.
void heed(const Config& config);

}  // namespace windlass::app
