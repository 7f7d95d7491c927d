// What else there is: the usual ways to balance, as policies for the balancer.
#pragma once

#include <string>
#include <vector>

#include "world.h"

namespace windlass::bench {

struct Rival {
  std::string name;
  MakePolicy make;
};

/// Round robin, least outstanding, peak EWMA with two choices and with all, and fixed windows.
std::vector<Rival> rivals();

}  // namespace windlass::bench
