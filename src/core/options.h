// What a balancer is told when it is made. Constant afterwards. Values with which nothing could work (a timeout or a
// batch of nothing) count as the smallest that can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace windlass::core {

struct Options {
  /// Sends of an event before it is dropped; 0: without end.
  int max_attempts = 4;
  /// Every event is sent without end.
  bool guaranteed = false;
  /// For a connect; for a sign of life while something is in flight; for the wait in the queue while nothing is drawn.
  base::Duration timeout = std::chrono::seconds(30);
  /// For an acknowledgement that gets somewhere.
  base::Duration progress_timeout = std::chrono::minutes(5);
  /// Rejected and undeliverable events are put out as DeadLetter. Without it, rejected ones are dropped, and
  /// undeliverable ones are sent until their attempts are used up: guaranteed ones without end.
  bool dead_letter = false;
  /// Events that may be sent a second time to get past a straggler, as a share of those acknowledged; 0: none.
  double max_duplicates = 0;

  /// Budgets for what is accepted and not settled.
  std::size_t queue_events = 65536;
  std::size_t queue_bytes = std::size_t{32} << 20;
  /// The most that one batch holds; a single event may exceed the bytes, and then travels alone.
  std::uint32_t bulk_max_events = 2048;
  std::size_t bulk_max_bytes = std::size_t{1} << 20;
};

struct WorkerOptions {
  /// Workers of one name share an endpoint; one without a name has an endpoint of its own.
  std::string endpoint{};
  base::Duration wait_retry = std::chrono::seconds(1);
  base::Duration max_wait_retry = std::chrono::seconds(60);
  /// A connection is replaced after this time; 0: never.
  base::Duration ttl{0};
  /// The replacement is made first, by a successor (Replace), and the old connection drains and closes once it stands.
  /// Else the old one drains and closes first.
  bool overlaps = false;
  /// Connects, and so draws, only while every worker of a lower number is failing.
  unsigned priority = 0;
  /// Of several workers that would be as good for a batch, each gets a share in proportion to this. At least 1.
  unsigned weight = 1;
  /// Events a second that its endpoint is given at most, by all of its workers together (rate_limits.h); who has joined
  /// last says it. Not above 0: as many as it takes.
  double rate_limit = 0;
  /// Batches that may be in flight at most.
  unsigned window = 2;
};

}  // namespace windlass::core
