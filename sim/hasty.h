// A policy that hedges without any reason: whatever is in flight may get its second copy at any moment, anywhere.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"
#include "core/hand_out_policy.h"

namespace windlass::sim {

/// Hands out as fixed windows do.
class Hasty final : public core::HandOutPolicy {
 public:
  Hasty(std::vector<unsigned> windows, std::uint64_t seed)
      : windows_(core::fixed_windows(std::move(windows))), random_(seed) {}

  void on_added(core::WorkerId worker, unsigned bound) override { windows_->on_added(worker, bound); }
  void on_removed(core::WorkerId worker) override { windows_->on_removed(worker); }
  void on_sent(core::WorkerId worker, core::AttemptId attempt, double cost, base::Time now) override {
    live_.push_back(attempt);
    windows_->on_sent(worker, attempt, cost, now);
  }
  void on_acked(core::WorkerId worker, core::AttemptId attempt, base::Time now) override {
    std::erase(live_, attempt);
    windows_->on_acked(worker, attempt, now);
  }
  void on_ended(core::WorkerId worker, core::AttemptId attempt, base::Time now) override {
    std::erase(live_, attempt);
    windows_->on_ended(worker, attempt, now);
  }
  Choice choose(const Workers& candidates, const Workers& participants, const Head& head, base::Time now) override {
    return windows_->choose(candidates, participants, head, now);
  }
  bool as_good(core::WorkerId other, core::WorkerId chosen, const Head& head, base::Time now) const override {
    return windows_->as_good(other, chosen, head, now);
  }
  Hedge hedge(const Workers& candidates, const MayHedge& may, base::Time now) override {
    if (live_.empty() || candidates.empty() || random_.chance(0.5)) return {};
    const core::AttemptId attempt = live_[random_.below(live_.size())];
    const core::WorkerId worker = candidates[random_.below(candidates.size())];
    if (!may(attempt, worker)) return {};
    return {attempt, worker, now};
  }
  unsigned window(core::WorkerId worker) const override { return windows_->window(worker); }
  const char* window_reason(core::WorkerId worker) const override { return windows_->window_reason(worker); }

 private:
  std::unique_ptr<HandOutPolicy> windows_;
  base::Random random_;
  std::vector<core::AttemptId> live_;
};

}  // namespace windlass::sim
