#include <algorithm>
#include <tuple>
#include <utility>

#include "core/hand_out_policy.h"

namespace windlass::core {
namespace {

class FixedWindows final : public HandOutPolicy {
 public:
  explicit FixedWindows(std::vector<unsigned> windows) : windows_(std::move(windows)), lines_(windows_.size()) {}

  void on_added(WorkerId worker, unsigned bound) override {
    if (worker >= lines_.size()) {
      windows_.resize(worker + 1);
      lines_.resize(worker + 1);
    }
    windows_[worker] = bound;
    lines_[worker] = {};
  }
  void on_sent(WorkerId worker, AttemptId, double, base::Time now) override {
    ++lines_[worker].in_flight;
    lines_[worker].last_draw = now;
  }
  void on_acked(WorkerId worker, AttemptId, base::Time) override { --lines_[worker].in_flight; }
  void on_ended(WorkerId worker, AttemptId, base::Time) override { --lines_[worker].in_flight; }

  Choice choose(const Workers& candidates, const Workers&, const Head&, base::Time) override {
    const auto rank = [&](WorkerId id) { return std::tuple(lines_[id].in_flight, lines_[id].last_draw, id); };
    const auto least = std::min_element(candidates.begin(), candidates.end(),
                                        [&](WorkerId a, WorkerId b) { return rank(a) < rank(b); });
    return {*least};
  }
  bool as_good(WorkerId other, WorkerId chosen, const Head&, base::Time) const override {
    return lines_[other].in_flight == lines_[chosen].in_flight;
  }
  unsigned window(WorkerId worker) const override { return std::max(1u, windows_[worker]); }
  const char* window_reason(WorkerId) const override { return "fixed"; }

 private:
  struct Line {
    std::size_t in_flight = 0;
    base::Time last_draw{};
  };
  std::vector<unsigned> windows_;
  std::vector<Line> lines_;
};

}  // namespace

std::unique_ptr<HandOutPolicy> fixed_windows(std::vector<unsigned> windows) {
  return std::make_unique<FixedWindows>(std::move(windows));
}

}  // namespace windlass::core
