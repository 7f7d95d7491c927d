// Earliest-finish pull: windows that size themselves, and batches that go where they will be finished first.
//
// Every worker is measured by its acknowledgements: s, the time that the endpoint works on a batch of average size, and
// b, the time from send to ack of such a batch on an idle connection. From them follow the window (enough to fill the
// line, and little more), and a prediction of when a batch would be finished at each worker. The head of the queue goes
// where that is earliest; when that is a slow endpoint, and faster ones will be free soon enough to finish all that is
// queued, and their limits let them have it, it waits for them. docs/balancing.md explains the rule, and shows what it
// reaches.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "core/action.h"
#include "core/hand_out_policy.h"

namespace windlass::core {

class EarliestFinish final : public HandOutPolicy {
 public:
  /// `bounds`: the largest window of each worker.
  explicit EarliestFinish(const std::vector<unsigned>& bounds);

  void heed(const RateLimits& limits) override { limits_ = &limits; }
  void on_added(WorkerId worker, unsigned bound) override;
  void on_removed(WorkerId worker) override { lines_[worker] = Line(); }
  void on_connected(WorkerId worker, base::Time now) override;
  void on_disconnected(WorkerId worker) override;
  void on_offered(double cost, base::Time now) override;
  void on_sent(WorkerId worker, AttemptId attempt, double cost, base::Time now) override;
  void on_acked(WorkerId worker, AttemptId attempt, base::Time now) override;
  void on_ended(WorkerId worker, AttemptId attempt, base::Time now) override;
  void on_throttled(WorkerId worker, base::Time now) override;

  Choice choose(const Workers& candidates, const Workers& participants, const Head& head, base::Time now) override;
  bool as_good(WorkerId other, WorkerId chosen, const Head& head, base::Time now) const override;
  Hedge hedge(const Workers& candidates, const MayHedge& may, base::Time now) override;
  unsigned window(WorkerId worker) const override;
  const char* window_reason(WorkerId worker) const override { return lines_[worker].window_reason; }

  /// Whether a batch is overdue there by so much that the worker gets no new work while another one can take it.
  bool is_suspect(WorkerId worker, base::Time now) const;

 private:
  // Times are seconds since the clock's origin, durations seconds, and costs multiples of the average batch.

  /// The least of the values of about the last `span` seconds.
  class RecentLeast {
   public:
    explicit RecentLeast(double span) : half_(span / 2) {}
    void add(double value, double now);
    bool known() const { return known_; }
    double value() const { return least_ < before_ ? least_ : before_; }
    void scale(double factor) { least_ *= factor, before_ *= factor; }

   private:
    double half_;
    double begun_ = 0;
    double least_ = 0;
    double before_ = 0;
    bool known_ = false;
  };

  struct Copy {
    AttemptId attempt = 0;
    double cost = 0;
    double sent = 0;
    double predicted = 0;      ///< finish
    std::size_t ahead = 0;     ///< copies in flight when it was sent
    bool probe = false;        ///< sent to learn how the worker does
    bool light_round = false;  ///< sent while the window was held low to learn the round trip without load
    double hedge_at = 0;       ///< of a probe: worth a second copy from then on; else never
  };

  /// One worker and its connection.
  struct Line {
    bool connected = false;
    unsigned bound = 1;
    std::deque<Copy> copies;
    double outstanding = 0;  ///< cost of the copies

    double service = 0;   ///< s
    double idle = 0;      ///< b
    double unloaded = 0;  ///< b_w, b as the window sees it
    unsigned service_samples = 0;
    unsigned idle_samples = 0;
    bool unloaded_known = false;
    RecentLeast least_trip{20};
    RecentLeast least_gap{10};
    double deviation = 0;    ///< of predictions
    double last_finish = 0;  ///< predicted, of the copy sent last
    double last_ack = 0;
    double last_idle_sample = 0;

    double window = 2;
    const char* window_reason = "new connection";
    bool stalled = false;
    double answered_at = 0;     ///< the last ack, or the connect
    double probe_interval = 0;  ///< 0: not yet set
    bool window_hit = false;    ///< since the last light sample
    double light_at = 0;        ///< the last light sample
    double light_interval = 0;  ///< without a light sample until a light round is due; 0: not yet set
    unsigned light_round = 0;   ///< samples still wanted of the present one
  };

  /// What a line is taken to be like: its own figures, or the median of the others' where it has none.
  struct View {
    double service;
    double idle;
    double trip() const { return idle > service ? idle - service : 0; }
  };

  View view(const Line& line) const;
  void learn_medians();
  double oldest_finish(const Line& line, const View& view) const;
  double lateness(const Line& line, const View& view, double now) const;
  double free_at(const Line& line, const View& view, double now, bool with_lateness) const;
  double finish(const Line& line, const View& view, double cost, double now, bool with_lateness) const;
  double patience(const Line& line, const View& view) const;
  /// From when on the oldest batch is worth a second copy, if it is not answered.
  double overdue_from(const Line& line, const View& view) const;
  void mind_overdue(const Line& line);
  bool wants_probe(const Line& line, double now) const;
  // Cold: out of the way of those without limits.
  [[gnu::cold]] double may_be_given(WorkerId worker, double until, double events, base::Time now) const;
  bool better_to_wait(WorkerId best, double finish, const Workers& participants, const Head& head,
                      base::Time now) const;
  void sample(Line& line, const Copy& copy, double now);
  void size_window(Line& line, const Copy& copy, double trip, double now);
  unsigned light_window(const Line& line) const;
  void count_into_unit(double cost);
  void remove(Line& line, std::deque<Copy>::iterator copy);

  const RateLimits* limits_ = nullptr;
  std::vector<Line> lines_;
  double unit_ = 0;      ///< cost of the average batch
  double unit_now_ = 0;  ///< the same, smoothed, before the lines are told
  double median_service_;
  double median_idle_;
  double arrived_ = 0;  ///< decaying sum over about a second
  double arrived_at_ = 0;
  std::vector<double> scratch_;
  std::optional<WorkerId> probing_;  ///< choose() picked it as a probe
  double probe_hedge_at_ = 0;        ///< for that
  double overdue_from_;              ///< no line has an overdue batch before
};

}  // namespace windlass::core
