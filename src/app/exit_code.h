// What the program's exit says.
#pragma once

namespace windlass::app {

inline constexpr int exit_all_acked = 0;   ///< everything was acknowledged, or what was asked for was done
inline constexpr int exit_incomplete = 1;  ///< something was dropped, dead-lettered, refused or left
inline constexpr int exit_usage = 2;       ///< a usage or configuration that cannot be worked with

}  // namespace windlass::app
