// What all parts of a simulated world share, and how they speak to each other.
#pragma once

#include <cstdint>
#include <system_error>

#include <windlass/result.h>

#include "agenda.h"
#include "base/random.h"
#include "core/action.h"
#include "deliveries.h"
#include "scenario.h"
#include "trace.h"

namespace windlass::sim {

/// Kinds of happenings, and who takes them from the agenda: the world, the hosts, or the network from `of_network` on.
namespace kind {
inline constexpr std::uint32_t publish = 0;  // who: the publisher
inline constexpr std::uint32_t heal = 1;
inline constexpr std::uint32_t drain = 2;
inline constexpr std::uint32_t close = 3;
inline constexpr std::uint32_t mode = 4;  // who: the host
inline constexpr std::uint32_t join = 5;
inline constexpr std::uint32_t leave = 6;
inline constexpr std::uint32_t of_network = 16;
}  // namespace kind

/// Time, chance, and what is to come.
struct Stage {
  Stage(const Scenario& what, std::FILE* output) : scenario(what), random(what.seed), trace(output) {}

  /// Whether a fault happens now; never once the world has healed.
  bool fault(double Scenario::*chance) {
    const double probability = scenario.*chance;
    return probability > 0 && !healed && random.chance(probability);
  }
  /// Between nothing and `most`, evenly.
  base::Duration up_to(base::Duration most) {
    return base::Duration(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most.count()) + 1)));
  }
  void later(base::Duration delay, std::uint32_t what_kind, std::uint32_t who = 0, std::uint64_t what = 0) {
    agenda.add(now + delay, what_kind, who, what);
  }

  const Scenario& scenario;
  base::Random random;
  Agenda agenda;
  base::Time now{};
  bool healed = false;
  Trace trace;
};

/// Takes to the balancer what the network has to say. Attempts are given by their number in the order of sends.
class Inputs {
 public:
  virtual void connected(core::ConnectionId connection) = 0;
  virtual void lost(core::ConnectionId connection, std::error_code error) = 0;
  virtual void disconnected(core::ConnectionId connection) = 0;
  virtual void alive(core::ConnectionId connection) = 0;
  virtual void progress(std::uint32_t attempt, std::uint32_t count) = 0;
  virtual void result(std::uint32_t attempt, const PublishResult& result) = 0;
  /// A peer acknowledges an event.
  virtual void peer_took(EventNumber event) = 0;

 protected:
  ~Inputs() = default;
};

/// All that lies beyond the balancer: connections and the peers at their ends.
class Network {
 public:
  virtual ~Network() = default;

  virtual void connect(core::ConnectionId connection) = 0;
  virtual void disconnect(core::ConnectionId connection) = 0;
  virtual void send(core::WorkerId worker, std::uint32_t attempt, const Batch& batch) = 0;
  /// Something of the network's own is due.
  virtual void happened(const Happening& what) = 0;
  /// An endpoint has gone down: its connections end.
  virtual void went_down(core::WorkerId worker) = 0;
};

/// Whether no endpoint takes this event.
inline bool poisoned(const Scenario& scenario, EventNumber event) {
  return scenario.poison > 0 && base::Random(scenario.seed ^ (std::uint64_t{event} << 20)).chance(scenario.poison);
}

/// Whether this event fails wherever it is sent, by itself or with its whole batch.
inline bool spoils(const Scenario& scenario, EventNumber event) {
  return scenario.poisoning > 0 && poisoned(scenario, event);
}

}  // namespace windlass::sim
