// What a run did, step by step: as a hash, as the last steps, and as text.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <system_error>

#include "base/time.h"

namespace windlass::sim {

/// One step, in numbers, so that recording it costs next to nothing.
struct Step {
  enum class Kind : std::uint8_t {
    // Commands and inputs of the balancer.
    offer,         // x events, y the first one's id; error: refused
    drain,         // x milliseconds to the deadline
    close,         //
    join,          // worker
    remove,        // worker, x milliseconds to the deadline
    connected,     // worker, connection
    lost,          // worker, connection, error
    disconnected,  // worker, connection
    alive,         // worker, connection
    progress,      // worker, attempt, x events
    result,        // worker, attempt, x rest_from, y single events that were not acknowledged, error
    timeout,       //
    // Actions of the balancer.
    settled,      // x events, y the first one's id, error
    dead_letter,  // x events, error
    disconnect,   // worker, connection
    connect,      // worker, connection
    send,         // worker, attempt, x events, y the first one's id
    replace,      // worker, x its successor
    left,         // worker
    // The world around it; no step of the balancer.
    mode,   // worker, x the new mode
    jump,   // x milliseconds
    heal,   //
    bytes,  // worker, connection, x how many, y 0: to the peer, 1: from it
    cut,    // worker, connection, x bytes that were lost to the peer, y from it
  };
  base::Time at;
  Kind kind;
  std::uint32_t worker = 0;
  std::uint32_t connection = 0;
  std::uint32_t attempt = 0;
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::error_code error{};

  bool of_the_balancer() const { return kind < Kind::mode; }
};

/// "  0.012345678  send         worker 3  attempt 17  5 events from #120"
std::string describe(const Step& step);

class Trace {
 public:
  static constexpr std::size_t kept = 64;

  /// With an output, each step is written there as it is taken.
  explicit Trace(std::FILE* output = nullptr) : output_(output) {}

  void add(const Step& step);

  std::uint64_t hash() const { return hash_; }
  /// Inputs, commands and actions of the balancer.
  std::uint64_t steps() const { return steps_; }
  /// Writes the last steps, oldest first.
  void write_last(std::FILE* to) const;

 private:
  std::FILE* output_;
  std::array<Step, kept> last_;
  std::uint64_t count_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t hash_ = 0x9e3779b97f4a7c15u;
};

}  // namespace windlass::sim
