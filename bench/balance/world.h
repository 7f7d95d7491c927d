// A world on virtual time in which the balancer itself hands batches to endpoints that are only modelled: a line with a
// round trip, and behind it one server that takes what comes in order. What arrives, and how much work each batch is,
// is drawn in advance, so that every policy is given the very same work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "core/hand_out_policy.h"

namespace windlass::bench {

constexpr double forever = std::numeric_limits<double>::infinity();

/// From `from` to `until`, seconds, the endpoint works at `speed` times its capacity.
struct Trouble {
  double from = 0;
  double until = 0;
  double speed = 0;
  bool lost = false;  ///< whatever it holds at the beginning or gets meanwhile is never answered
};

struct Endpoint {
  double capacity = 100;            ///< average batches a second
  double round_trip = 0.001;        ///< seconds; half of it each way
  double joins = 0;                 ///< can be connected to from then on
  std::vector<Trouble> troubles{};  ///< in order, apart from each other
};

struct Piece {
  double arrival = 0;
  double effort = 1;  ///< seconds of work for an endpoint of capacity 1
  double again = 1;   ///< the same when it is served a second time
  double size = 1;    ///< multiples of the average batch; what the balancer can see of the effort
};

struct World {
  std::vector<Endpoint> endpoints;
  std::vector<Piece> work;  ///< by arrival
  double ack_timeout = 1e6;
  /// The publisher hears of signals in the order of its batches, and has at most so many that it has not heard of; 0:
  /// as many as arrive.
  std::size_t in_order = 0;
  double max_duplicates = 0;  ///< the balancer's budget for second copies, a share of all batches
};

struct Outcome {
  /// By piece, when its publish was signalled.
  std::vector<double> signalled;
  /// By endpoint, what it served: when, and the effort.
  struct Served {
    double at = 0;
    double effort = 0;
  };
  std::vector<std::vector<Served>> served;
  std::size_t duplicates = 0;  ///< batches served that were served before
  double choose_seconds = 0;   ///< of real time, for one choice
};

/// `windows` has the bound of each worker.
using MakePolicy =
    std::function<std::unique_ptr<core::HandOutPolicy>(const std::vector<unsigned>& windows, std::uint64_t seed)>;

/// Runs the balancer with this policy until all work is signalled.
Outcome run(const World& world, const MakePolicy& make_policy, std::uint64_t seed);

/// What can be had by knowing everything: each batch, in the order of arrival, goes to the endpoint that will in fact
/// have finished it first, whatever is going to happen there.
Outcome run_clairvoyant(const World& world);

}  // namespace windlass::bench
