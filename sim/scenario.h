// What kind of world a seed makes: sizes, options, and how often each fault happens.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/options.h"

namespace windlass::sim {

/// Every figure is a number, so that each can be listed, overridden by name, and made smaller while a failure is
/// narrowed down. Times are in milliseconds; chances are between 0 and 1.
struct Scenario {
  std::uint64_t seed = 0;

  // The shape of the world.
  double wire = 0;           ///< 1: conversations over byte pipes; 0: endpoints that answer for batches
  double protocol = 0;       ///< of the wire: 0 Lumberjack, 1 Redis, 2 HTTP, 3 Elasticsearch
  double workers = 1;        ///< connections
  double workers_each = 1;   ///< connections to one endpoint
  double priorities = 1;     ///< levels; more than 1: failover
  double latency = 1;        ///< one way, up to
  double service = 0.1;      ///< an endpoint's time for an event, up to
  double window = 2;         ///< batches, up to
  double window_adapts = 0;  ///< 1: windows and hand-out by earliest finish; else fixed
  double wait_retry = 100;   ///< first backoff
  double wait_growth = 60;   ///< the longest backoff, in first ones
  double ttl = 0;            ///< of a connection; 0: none
  double overlap = 0;        ///< share of the workers whose old connection stays until the new one stands
  double joins = 0;          ///< workers that join, in the time of faults
  double weights = 1;        ///< of workers, up to
  double leaves = 0;         ///< workers that are removed, in the time of faults
  double limited = 0;        ///< share of the endpoints that have a limit of events a second
  double rate = 1000;        ///< that limit, a tenth of this up to

  // The balancer's options.
  double attempts = 4;    ///< 0: without end
  double guaranteed = 0;  ///< 1: for everything
  double timeout = 5000;
  double progress_timeout = 20000;
  double dead_letter = 0;     ///< 1: rejected events go to the dead letter
  double max_duplicates = 0;  ///< second copies: by earliest finish when overdue, with fixed windows at any time
  double queue_events = 4096;
  double queue_bytes = 1 << 20;
  double bulk_events = 50;
  double bulk_bytes = 1 << 16;

  // What is published.
  double publishers = 2;
  double publishes = 100;   ///< in all, in the time of faults
  double events = 8;        ///< a publish, up to
  double event_bytes = 64;  ///< an event, up to
  double empty = 0;         ///< chance of a publish without events
  double each = 0.3;        ///< share of the publishers' submissions in which each event is signalled
  double silent = 0.1;      ///< share without a signal
  double urgent = 0.2;      ///< share that is guaranteed
  double republish = 0.05;  ///< chance that a signal publishes again

  // Time.
  double faulty = 10000;     ///< how long there are faults
  double jump = 0;           ///< chance, at a step, that the clock jumps
  double interleave = 0.05;  ///< chance that something happens between two actions
  double ending = 0;         ///< 0: rest, then close; 1: drain once healed; 2: close; 3: drain in the midst of faults

  // Faults of endpoints, which last a while.
  double unrest = 0;  ///< changes of an endpoint's mode, in the time of faults
  double modes = 0;   ///< a bit for each mode that occurs
  // Faults of connections.
  double refuse = 0;    ///< chance that a connect is refused
  double hang = 0;      ///< chance that a connect is never answered
  double cut = 0;       ///< chance, at a send, that the connection is cut while it is under way
  double idle_cut = 0;  ///< chance that a connection is closed by the peer when it has nothing to do
  // Faults of answers, by send.
  double late = 0;  ///< long after every deadline
  double never = 0;
  double keep_alive = 0;    ///< signs of life instead of an answer
  double partial = 0;       ///< progress on the way
  double out_of_range = 0;  ///< counts beyond the batch
  double repeated = 0;      ///< an answer that comes twice
  double stale = 0;         ///< an answer for an attempt or a connection that is long over
  double fail = 0;          ///< a failure with an error, with or without some progress
  double throttle = 0;
  double hand_back = 0;  ///< part of it handed back, without an error
  double mixed = 0;      ///< an outcome for each event of its own
  double poison = 0;     ///< share of events that no endpoint takes
  double poisoning = 0;  ///< how: 0: rejected for good; 1: their batch fails; 2: it takes the connection with it;
                         ///< 3: they fail, each for itself
  // Faults of the wire.
  double fragment = 1500;  ///< bytes that arrive together, up to
  double compression = 0;  ///< level

  std::uint32_t count(double Scenario::*figure) const { return static_cast<std::uint32_t>(this->*figure); }
  base::Duration time(double Scenario::*figure) const {
    return base::Duration(static_cast<std::int64_t>(this->*figure * 1e6));
  }
  core::Options options() const;
  /// That there can be at one time, with those that are being replaced.
  double most_connections() const { return (workers + joins) * (ttl > 0 && overlap > 0 ? 2 : 1); }
  /// At the beginning worker n has a connection to endpoint n modulo this.
  std::uint32_t endpoints() const { return std::max(1u, count(&Scenario::workers) / count(&Scenario::workers_each)); }
};

/// A figure by its name.
struct Figure {
  std::string_view name;
  double Scenario::*value;
  double harmless;  ///< what makes the world simpler
};
std::span<const Figure> figures();

enum class Kind { drawn, balancer, wire };

/// The world of this seed.
Scenario draw_scenario(std::uint64_t seed, Kind kind);

/// "name=value" for each figure, on lines of reasonable length.
std::string describe(const Scenario& scenario);

}  // namespace windlass::sim
