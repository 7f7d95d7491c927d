// The attempts that are under way, found by id in constant time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/action.h"
#include "core/work_queue.h"

namespace windlass::core {

inline void append(Batch& batch, const Batch& more) {
  for (const Batch::Slice& slice : more.slices()) batch.append(slice);
}

/// What the two copies of a hedged batch share, until both are over: which of its events have ended. The copies are one
/// attempt, and whichever is first settles an event.
struct Pair {
  AttemptId first = 0;
  AttemptId second = 0;
  std::vector<bool> ended;  ///< by place in the second copy, which is the end of the first one
  bool progressed = false;  ///< by a copy that is over
};

/// One hand-out of one batch to one worker, until its outcome is known.
struct Attempt {
  AttemptId id = 0;
  bool live = false;
  Work work;
  WorkerId worker = 0;
  base::Time sent_at{};
  std::uint32_t acked = 0;        ///< events at the front that are acknowledged
  std::shared_ptr<Pair> pair{};   ///< when hedged
  std::uint32_t before_pair = 0;  ///< events at the front that the pair does not share

  std::uint32_t size() const { return static_cast<std::uint32_t>(work.batch.size()); }
  std::uint32_t unacked() const { return size() - acked; }

  /// Calls `run(first, count)` for each run of events in [from, end) that the other copy has not ended.
  template <typename Run>
  void for_each_open(std::uint32_t from, std::uint32_t end, const Run& run) const {
    if (!pair && from < end) return run(from, end - from);
    while (from < end) {
      const std::uint32_t first = from;
      while (from < end && !ended(from)) ++from;
      if (first < from) run(first, from - first);
      while (from < end && ended(from)) ++from;
    }
  }
  /// What is left of it when it is over, and of its other copy.
  Batch open_events() const {
    if (!pair) return work.batch.part(acked, unacked());
    Batch open;
    for_each_open(acked, size(),
                  [&](std::uint32_t first, std::uint32_t count) { append(open, work.batch.part(first, count)); });
    return open;
  }
  /// The other copy is not to end these again.
  void end(std::uint32_t first, std::uint32_t count) const {
    if (!pair) return;
    const auto place = pair->ended.begin() + (first - before_pair);
    std::fill(place, place + count, true);
  }

 private:
  bool ended(std::uint32_t event) const { return pair->ended[event - before_pair]; }
};

/// A table of slots that are used again. An id is the slot in its lower 24 bits and, above them, how often the slot has
/// been used, so that the id of an attempt that is over finds nothing.
class Attempts {
 public:
  Attempt& add(Work work, WorkerId worker, base::Time now) {
    if (free_.empty()) {
      const std::size_t slot = slots_.size();
      free_.push_back(slot);
      slots_.emplace_back().id = slot;
    }
    Attempt& attempt = slots_[free_.back()];
    free_.pop_back();
    const AttemptId id = attempt.id + one_use;
    attempt = {};
    attempt.id = id;
    attempt.live = true;
    attempt.work = std::move(work);
    attempt.worker = worker;
    attempt.sent_at = now;
    return attempt;
  }

  /// Null for an attempt that is over. Good until the next add.
  const Attempt* find(AttemptId id) const {
    const std::size_t slot = id & (one_use - 1);
    return slot < slots_.size() && slots_[slot].live && slots_[slot].id == id ? &slots_[slot] : nullptr;
  }
  Attempt* find(AttemptId id) { return const_cast<Attempt*>(std::as_const(*this).find(id)); }

  /// Ends it and takes it out.
  Attempt remove(Attempt& attempt) {
    attempt.live = false;
    free_.push_back(attempt.id & (one_use - 1));
    return std::move(attempt);
  }

 private:
  static constexpr AttemptId one_use = AttemptId{1} << 24;

  std::vector<Attempt> slots_;
  std::vector<std::size_t> free_;
};

}  // namespace windlass::core
