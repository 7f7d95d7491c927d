// What is going to happen in a simulated world, by time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace windlass::sim {

/// Something that happens at a time. What the numbers mean is known to whoever put it on the agenda.
struct Happening {
  base::Time at;
  std::uint64_t order = 0;  ///< among those of one time, first come, first served
  std::uint32_t kind = 0;
  std::uint32_t who = 0;
  std::uint64_t what = 0;
};

/// A heap of happenings, earliest first.
class Agenda {
 public:
  void add(base::Time at, std::uint32_t kind, std::uint32_t who = 0, std::uint64_t what = 0) {
    heap_.push_back({at, next_order_++, kind, who, what});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  base::Time next() const { return heap_.empty() ? base::never : heap_.front().at; }
  Happening take() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Happening first = heap_.back();
    heap_.pop_back();
    return first;
  }

 private:
  static bool later(const Happening& a, const Happening& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }

  std::vector<Happening> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace windlass::sim
