#include "rivals.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>
#include <unordered_map>

#include "base/random.h"

namespace windlass::bench {
namespace {

using core::AttemptId;
using core::WorkerId;

/// Without windows: every batch is sent at once.
class Pusher : public core::HandOutPolicy {
 public:
  unsigned window(WorkerId) const override { return ~0u; }
  const char* window_reason(WorkerId) const override { return "without"; }
};

class RoundRobin final : public Pusher {
 public:
  Choice choose(const Workers& candidates, const Workers&, const Head&, base::Time) override {
    const auto next = std::upper_bound(candidates.begin(), candidates.end(), last_);
    last_ = next == candidates.end() ? candidates.front() : *next;
    return {last_};
  }

 private:
  WorkerId last_ = 0;
};

/// Ties go to who has waited for longest.
class LeastOutstanding final : public Pusher {
 public:
  explicit LeastOutstanding(std::size_t workers) : lines_(workers) {}
  void on_sent(WorkerId worker, AttemptId, double, base::Time now) override {
    ++lines_[worker].outstanding;
    lines_[worker].last_draw = now;
  }
  void on_acked(WorkerId worker, AttemptId, base::Time) override { --lines_[worker].outstanding; }
  void on_ended(WorkerId worker, AttemptId, base::Time) override { --lines_[worker].outstanding; }
  Choice choose(const Workers& candidates, const Workers&, const Head&, base::Time) override {
    return {*std::min_element(candidates.begin(), candidates.end(), [&](WorkerId a, WorkerId b) {
      return std::tie(lines_[a].outstanding, lines_[a].last_draw) <
             std::tie(lines_[b].outstanding, lines_[b].last_draw);
    })};
  }

 private:
  struct Line {
    std::size_t outstanding = 0;
    base::Time last_draw{};
  };
  std::vector<Line> lines_;
};

/// The load of a worker is its round trip times what it has outstanding, with this one; the round trip rises at once
/// and falls over ten seconds, as in Finagle. Of two workers drawn at random, or of all, the least loaded.
class PeakEwma final : public Pusher {
 public:
  PeakEwma(std::size_t workers, bool all, std::uint64_t seed) : lines_(workers), all_(all), random_(seed) {}
  void on_sent(WorkerId worker, AttemptId attempt, double, base::Time now) override {
    ++lines_[worker].outstanding;
    sent_[attempt] = now;
  }
  void on_acked(WorkerId worker, AttemptId attempt, base::Time now) override {
    Line& line = lines_[worker];
    const double trip = std::chrono::duration<double>(now - sent_[attempt]).count();
    const double kept = std::exp(-std::chrono::duration<double>(now - line.at).count() / 10);
    line.trip = trip > line.trip ? trip : line.trip * kept + trip * (1 - kept);
    line.at = now;
    forget(worker, attempt);
  }
  void on_ended(WorkerId worker, AttemptId attempt, base::Time) override { forget(worker, attempt); }
  Choice choose(const Workers& candidates, const Workers&, const Head&, base::Time) override {
    const auto load = [&](WorkerId id) {
      const Line& line = lines_[id];
      if (line.trip == 0 && line.outstanding > 0) return unknown + static_cast<double>(line.outstanding);
      return line.trip * static_cast<double>(line.outstanding + 1);
    };
    const auto less = [&](WorkerId a, WorkerId b) { return load(a) < load(b); };
    if (all_ || candidates.size() < 3) return {*std::min_element(candidates.begin(), candidates.end(), less)};
    const std::size_t first = random_.below(candidates.size());
    const std::size_t second = (first + 1 + random_.below(candidates.size() - 1)) % candidates.size();
    return {std::min(candidates[first], candidates[second], less)};
  }

 private:
  static constexpr double unknown = 1e6;  ///< load of a worker that has not answered its first batch yet
  struct Line {
    std::size_t outstanding = 0;
    double trip = 0;  ///< seconds
    base::Time at{};
  };
  void forget(WorkerId worker, AttemptId attempt) {
    --lines_[worker].outstanding;
    sent_.erase(attempt);
  }
  std::vector<Line> lines_;
  std::unordered_map<AttemptId, base::Time> sent_;
  bool all_;
  base::Random random_;
};

MakePolicy fixed(unsigned window) {
  return [window](const std::vector<unsigned>& windows, std::uint64_t) {
    return core::fixed_windows(std::vector<unsigned>(windows.size(), window));
  };
}

}  // namespace

std::vector<Rival> rivals() {
  using Windows = std::vector<unsigned>;
  return {
      {"round robin", [](const Windows&, std::uint64_t) { return std::make_unique<RoundRobin>(); }},
      {"least out.", [](const Windows& all, std::uint64_t) { return std::make_unique<LeastOutstanding>(all.size()); }},
      {"p2c ewma",
       [](const Windows& all, std::uint64_t seed) { return std::make_unique<PeakEwma>(all.size(), false, seed); }},
      {"scan ewma",
       [](const Windows& all, std::uint64_t seed) { return std::make_unique<PeakEwma>(all.size(), true, seed); }},
      {"window 1", fixed(1)},
      {"window 2", fixed(2)},
      {"window 8", fixed(8)},
      {"window 64", fixed(64)},
  };
}

}  // namespace windlass::bench
