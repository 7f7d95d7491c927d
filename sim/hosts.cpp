#include "hosts.h"

#include <algorithm>

namespace windlass::sim {

Hosts::Hosts(Stage& stage)
    : stage_(stage),
      healthy_service_(stage.scenario.time(&Scenario::timeout) /
                       static_cast<std::int64_t>(4 * stage.scenario.most_connections() * stage.scenario.window)) {
  const Scenario& scenario = stage.scenario;
  // Of their own seed, so that a fault less does not make other endpoints.
  base::Random random(scenario.seed ^ 0x4057u);
  const auto some = [&](double Scenario::*most) {
    return base::Duration(static_cast<std::int64_t>(static_cast<double>(scenario.time(most).count()) * random.unit()));
  };
  hosts_.resize(scenario.endpoints());
  for (Host& host : hosts_) {
    host.latency = some(&Scenario::latency);
    host.service = some(&Scenario::service);
    host.service_batch = some(&Scenario::service);
  }
  const std::uint32_t workers = scenario.count(&Scenario::workers);
  for (core::WorkerId worker = 0; worker < workers; ++worker) join(worker, worker % scenario.endpoints());
  const std::uint64_t changes = static_cast<std::uint64_t>(scenario.unrest) * hosts_.size();
  for (std::uint64_t change = 0; change < changes; ++change)
    stage.later(stage.up_to(scenario.time(&Scenario::faulty)), kind::mode,
                static_cast<std::uint32_t>(stage.random.below(hosts_.size())));
}

void Hosts::join(core::WorkerId worker, std::uint32_t host) {
  if (places_.size() <= worker) places_.resize(worker + 1);
  places_[worker] = host;
}

bool Hosts::change(std::uint32_t number) {
  if (stage_.healed) return false;
  Host& host = hosts_[number];
  const auto allowed = static_cast<unsigned>(stage_.scenario.modes);
  const auto next = static_cast<unsigned>(stage_.random.below(7));
  host.mode = next > 0 && (allowed >> next & 1) ? static_cast<Mode>(next) : Mode::well;
  stage_.trace.add(
      {.at = stage_.now, .kind = Step::Kind::mode, .worker = number, .x = static_cast<unsigned>(host.mode)});
  return host.mode == Mode::down;
}

void Hosts::heal() {
  for (Host& host : hosts_) {
    host.mode = Mode::well;
    host.busy_until = std::min(host.busy_until, stage_.now);
  }
}

base::Time Hosts::serve(Host& host, std::size_t events) {
  base::Duration needed = host.service_batch + host.service * static_cast<std::int64_t>(events);
  if (host.mode == Mode::slow) needed *= 20;
  // A well endpoint is one that can answer in time, even when every window is full.
  if (stage_.healed) needed = std::min(needed, healthy_service_);
  host.busy_until = std::max(host.busy_until, stage_.now + host.latency) + needed;
  return host.busy_until;
}

}  // namespace windlass::sim
