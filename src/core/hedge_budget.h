// How many events may be sent a second time while the first send is under way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace windlass::core {

/// A share of the events that were acknowledged, and 32 to begin with. What is not used is kept, up to 64 full batches,
/// so that a stall after a long calm does not take all of it at once.
class HedgeBudget {
 public:
  static constexpr double at_first = 32;

  HedgeBudget(double share, std::uint32_t bulk_max_events)
      : share_(std::clamp(share, 0.0, 1.0)), most_(64.0 * bulk_max_events), left_(std::min(at_first, most_)) {}

  bool any() const { return share_ > 0; }
  bool allows(std::size_t events) const { return any() && static_cast<double>(events) <= left_; }
  void acknowledged(std::size_t events) { left_ = std::min(most_, left_ + share_ * static_cast<double>(events)); }
  void spend(std::size_t events) { left_ -= static_cast<double>(events); }

 private:
  double share_;
  double most_;
  double left_;
};

}  // namespace windlass::core
