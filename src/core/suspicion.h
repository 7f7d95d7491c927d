// Bad batch or bad endpoint: what a batch's failures say against it, and when they are enough.
//
// An endpoint that fails everything is bad; a batch that fails everywhere, while those who failed it go on to serve
// others, is bad. So endpoints are asked for their record with other work:
//
//   halves    a batch of several events that has failed twice without progress goes on as two batches, its first half
//             and its second, each with a history of its own. That happens whoever is to blame: smaller batches harm
//             nobody, and the events that were all right are through after a few sends. A bad event stands alone after
//             log2(batch) times.
//   acquitted an endpoint that failed it has acknowledged other work since: so the batch is bad, and the attempts that
//             it cost are not held against the halves; they begin anew, and at once. Otherwise the endpoints may be
//             what is bad: the halves have the attempts that are left, and rest as a batch that fails does.
//   convicted a single event is undeliverable when two endpoints failed it that have acknowledged other work since, or
//             when it failed three times, at an endpoint at least that has: there may be no more than one.
//   named     endpoints that answer for each event by itself have said which ones are bad: those need no halves, and
//   are
//             convicted together.
//
// "Since" is since its first failure, or since it was split off: its other half is other work too. Two connections to
// one endpoint are one endpoint. Progress, which is an event of the batch that was acknowledged or rejected, ends all
// suspicion. What an endpoint fails because it is overloaded is no failure of the batch; the end of a connection is one
// of the batch that it has had for longest, and of no other.
#pragma once

#include <cstdint>
#include <vector>

#include "core/endpoints.h"

namespace windlass::core {

/// The case against one batch.
class Suspicion {
 public:
  /// `named`: each of its events for itself.
  void failed_at(EndpointId endpoint, const Endpoints& endpoints, bool named = false);
  /// It got somewhere.
  void clear() { *this = {}; }
  /// It goes on as halves, each of which begins with this.
  void split(const Endpoints& endpoints);

  /// Its events had better go on in smaller batches.
  bool wants_halves() const { return failures_ >= failures_of_a_batch && !names_events(); }
  /// Each failure was one of each event: they are as good as single ones.
  bool names_events() const { return failures_ > 0 && named_; }
  /// An endpoint that failed it serves others well.
  bool is_batch_bad(const Endpoints& endpoints) const { return serving(endpoints) > 0; }
  /// Others had better not be sent behind it over its connection, which it may end.
  bool is_strong() const { return is_half_ || failures_ >= failures_of_a_batch; }
  /// A single event had better let others go first.
  bool keeps_failing() const { return failures_ >= failures_of_an_event; }
  /// Nobody will take it, if it is a single event.
  bool undeliverable(const Endpoints& endpoints) const;
  /// Who failed it, since it stands as it does.
  const std::vector<EndpointId>& accusers() const { return accusers_; }

 private:
  static constexpr unsigned failures_of_a_batch = 2;
  static constexpr unsigned failures_of_an_event = 3;

  std::size_t serving(const Endpoints& endpoints) const;

  std::vector<EndpointId> accusers_;  ///< each once
  unsigned failures_ = 0;
  bool begun_ = false;
  bool is_half_ = false;
  bool named_ = true;        ///< with each failure
  std::uint64_t since_ = 0;  ///< the moment, when begun
};

}  // namespace windlass::core
