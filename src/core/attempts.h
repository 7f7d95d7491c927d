// The attempts that are under way, found by id in constant time.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/action.h"
#include "core/work_queue.h"

namespace windlass::core {

/// One hand-out of one batch to one worker, until its outcome is known.
struct Attempt {
  AttemptId id = 0;
  bool live = false;
  Work work;
  WorkerId worker = 0;
  base::Time sent_at{};
  std::uint32_t acked = 0;  ///< events at the front that are acknowledged

  std::uint32_t unacked() const { return static_cast<std::uint32_t>(work.batch.size()) - acked; }
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
    attempt = {attempt.id + one_use, true, std::move(work), worker, now, 0};
    return attempt;
  }

  /// Null for an attempt that is over. Good until the next add.
  const Attempt* find(AttemptId id) const {
    const std::size_t slot = id & (one_use - 1);
    return slot < slots_.size() && slots_[slot].live && slots_[slot].id == id ? &slots_[slot] : nullptr;
  }
  Attempt* find(AttemptId id) { return const_cast<Attempt*>(std::as_const(*this).find(id)); }

  /// Ends it and takes its work out.
  Work remove(Attempt& attempt) {
    attempt.live = false;
    free_.push_back(attempt.id & (one_use - 1));
    return std::move(attempt.work);
  }

 private:
  static constexpr AttemptId one_use = AttemptId{1} << 24;

  std::vector<Attempt> slots_;
  std::vector<std::size_t> free_;
};

}  // namespace windlass::core
