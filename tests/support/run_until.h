// Runs a loop until something is so: tests wait for conditions, never for time to pass.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>

namespace windlass::test {

/// False when the loop ran out of work, or the (generous) limit passed, before the condition held.
template <class Condition>
[[nodiscard]] bool run_until(boost::asio::io_context& context, Condition condition,
                             std::chrono::seconds limit = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    context.restart();
    if (context.run_one_until(deadline) == 0) return condition();
  }
  return true;
}

}  // namespace windlass::test
