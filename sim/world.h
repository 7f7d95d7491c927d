// One simulated run: the real balancer in a world of faults, in virtual time, from one seed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "checker.h"
#include "core/balancer.h"
#include "hosts.h"
#include "stage.h"

namespace windlass::sim {

struct Report {
  std::uint64_t steps = 0;  ///< inputs, commands and actions of the balancer
  std::uint64_t hash = 0;   ///< of all steps
  base::Duration virtual_time{0};
  std::uint64_t acked = 0;
};

/// Publishes, brings faults, heals, and sees that everything comes to rest. The driver's part of the balancer's
/// contract (poll until there is nothing, come back at next_timeout) is kept here; between two polls, other things may
/// happen.
class World final : public Inputs {
 public:
  /// With a trace output, each step is written there.
  World(const Scenario& scenario, std::FILE* trace);

  /// Runs to the end. Throws Violation.
  Report run();
  const Trace& trace() const { return stage_.trace; }

 private:
  void connected(core::ConnectionId connection) override;
  void lost(core::ConnectionId connection, std::error_code error) override;
  void disconnected(core::ConnectionId connection) override;
  void alive(core::ConnectionId connection) override;
  void progress(std::uint32_t attempt, std::uint32_t count) override;
  void result(std::uint32_t attempt, const PublishResult& result) override;
  void peer_took(EventNumber event) override { checker_.peer_took(event); }

  void perform(const core::Settled& settled);
  void perform(const core::DeadLetter& letter);
  void perform(const core::Disconnect& action);
  void perform(const core::Connect& action);
  void perform(const core::Send& action);
  void perform(const core::Replace& action);
  void perform(const core::Left& action);

  void schedule();
  /// The next thing that is due, or time passes until then. False when nothing is to come.
  bool step(base::Time until);
  void happen(const Happening& what);
  void handle_timeout();
  void poll_all();
  void publish_later(std::uint32_t publisher);
  void offer();
  void drain();
  void close();
  void join();
  void leave();
  void heal();
  /// The latest time at which a world that is well from now on must be at rest.
  base::Time rest_deadline() const;

  const Scenario scenario_;
  Stage stage_;
  std::vector<core::WorkerOptions> workers_;
  core::Balancer balancer_;
  Checker checker_;
  Hosts hosts_;
  std::unique_ptr<Network> network_;
  std::uint32_t left_to_publish_;
  unsigned joined_ = 0;
  base::Time well_since_ = base::never;
  base::Time rest_deadline_ = base::never;
  bool drained_ = false;
  base::Time last_timeout_{};
  unsigned timeouts_in_a_row_ = 0;
  unsigned actions_in_a_row_ = 0;
};

}  // namespace windlass::sim
