// Keeps the endpoints of a balancer as the configuration wants them, while that changes.
#pragma once

#include <memory>

#include <windlass/load_balancer.h>

#include "app/config.h"
#include "app/watch.h"

namespace windlass::app {

/// The endpoints of an output: those to begin with, and then, from a thread of its own, those that come and go.
class EndpointWatch {
 public:
  /// `watch` hears what happens to the set and to the files of TLS, and must outlive the balancer.
  EndpointWatch(const OutputConfig& output, Watch& watch);
  ~EndpointWatch();
  EndpointWatch(const EndpointWatch&) = delete;
  EndpointWatch& operator=(const EndpointWatch&) = delete;

  /// The workers to begin with. The factory throws as those of the protocols do.
  WorkerFactory workers();
  /// Has endpoints of the balancer join and leave, where the output wants that, until what this returns is destroyed.
  /// An endpoint that leaves has the output's timeout to finish what it has in flight.
  class Running;
  Running start(LoadBalancer& balancer);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

class [[nodiscard]] EndpointWatch::Running {
 public:
  explicit Running(Impl& impl) : impl_(impl) {}
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Impl& impl_;
};

}  // namespace windlass::app
