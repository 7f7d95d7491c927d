#include "world.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <queue>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "core/balancer.h"
#include "server.h"

namespace windlass::bench {
namespace {

base::Time time_at(double seconds) {
  return base::Time(std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds)));
}

double seconds_of(base::Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// A publish, with the place of its piece.
struct Publish : core::Submission {
  std::size_t piece = 0;
};

constexpr double bytes_of_average = 100;

/// Passes everything on, and times the choices.
class Timed final : public core::HandOutPolicy {
 public:
  Timed(std::unique_ptr<HandOutPolicy> policy, double& seconds, std::size_t& count)
      : policy_(std::move(policy)), seconds_(seconds), count_(count) {}
  void on_connected(core::WorkerId worker, base::Time now) override { policy_->on_connected(worker, now); }
  void on_disconnected(core::WorkerId worker) override { policy_->on_disconnected(worker); }
  void on_offered(double cost, base::Time now) override { policy_->on_offered(cost, now); }
  void on_sent(core::WorkerId worker, core::AttemptId attempt, double cost, base::Time now) override {
    policy_->on_sent(worker, attempt, cost, now);
  }
  void on_acked(core::WorkerId worker, core::AttemptId attempt, base::Time now) override {
    policy_->on_acked(worker, attempt, now);
  }
  void on_ended(core::WorkerId worker, core::AttemptId attempt, base::Time now) override {
    policy_->on_ended(worker, attempt, now);
  }
  void on_throttled(core::WorkerId worker, base::Time now) override { policy_->on_throttled(worker, now); }
  Choice choose(const Workers& candidates, const Workers& participants, const Head& head, base::Time now) override {
    if (++count_ % 16 != 0) return policy_->choose(candidates, participants, head, now);
    const auto begin = std::chrono::steady_clock::now();
    const Choice choice = policy_->choose(candidates, participants, head, now);
    seconds_ += 16 * std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return choice;
  }
  Hedge hedge(const Workers& candidates, const MayHedge& may, base::Time now) override {
    return policy_->hedge(candidates, may, now);
  }
  unsigned window(core::WorkerId worker) const override { return policy_->window(worker); }
  const char* window_reason(core::WorkerId worker) const override { return policy_->window_reason(worker); }

 private:
  std::unique_ptr<HandOutPolicy> policy_;
  double& seconds_;
  std::size_t& count_;
};

/// The balancer's surroundings, from its first connect to the last signal.
class Run {
 public:
  Run(const World& world, const MakePolicy& make_policy, std::uint64_t seed)
      : world_(world), balancer_(options(), workers(), timed(make_policy, seed), seed, base::Time{}) {
    outcome_.signalled.resize(world.work.size(), forever);
    outcome_.served.resize(world.endpoints.size());
    times_served_.resize(world.work.size());
    for (const Endpoint& endpoint : world.endpoints) servers_.emplace_back(endpoint);
  }

  Outcome go() {
    perform(base::Time{});
    while (left_ > 0) step();
    outcome_.choose_seconds = choose_seconds_ / static_cast<double>(std::max<std::size_t>(1, choices_));
    return std::move(outcome_);
  }

 private:
  struct Event {
    base::Time at;
    std::size_t number = 0;
    std::variant<core::ConnectionId, core::AttemptId> what;
    bool operator>(const Event& other) const { return std::tie(at, number) > std::tie(other.at, other.number); }
  };

  core::Options options() const {
    core::Options options;
    options.max_attempts = 0;
    options.timeout = std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(world_.ack_timeout));
    options.progress_timeout = options.timeout;
    options.max_duplicates = world_.max_duplicates;
    options.queue_events = options.queue_bytes = std::size_t{1} << 40;
    options.bulk_max_events = 1;
    options.bulk_max_bytes = std::size_t{1} << 30;
    return options;
  }
  std::vector<core::WorkerOptions> workers() const {
    std::vector<core::WorkerOptions> workers(world_.endpoints.size());
    for (core::WorkerOptions& worker : workers) worker.window = 1024;
    return workers;
  }
  std::unique_ptr<core::HandOutPolicy> timed(const MakePolicy& make_policy, std::uint64_t seed) {
    return std::make_unique<Timed>(make_policy(std::vector<unsigned>(world_.endpoints.size(), 1024), seed),
                                   choose_seconds_, choices_);
  }

  void step() {
    const bool may_publish =
        next_piece_ < world_.work.size() && (world_.in_order == 0 || next_piece_ < first_open_ + world_.in_order);
    const base::Time arrival = may_publish ? time_at(world_.work[next_piece_].arrival) : base::never;
    const base::Time event = events_.empty() ? base::never : events_.top().at;
    const base::Time timeout = std::max(now_, balancer_.next_timeout());
    now_ = std::max(now_, std::min({arrival, event, timeout}));
    if (now_ == base::never) throw std::runtime_error("work is left, and nothing will ever happen");
    if (event <= now_) {
      const Event due = events_.top();
      events_.pop();
      if (const auto* connection = std::get_if<core::ConnectionId>(&due.what)) {
        balancer_.on_connected(*connection, now_);
      } else {
        balancer_.on_result(std::get<core::AttemptId>(due.what), PublishResult::acked(), now_);
      }
    } else if (arrival <= now_) {
      publish(next_piece_++);
    } else {
      balancer_.handle_timeout(now_);
    }
    perform(now_);
  }

  void publish(std::size_t piece) {
    static const std::vector<char> zeros(std::size_t{1} << 20);
    auto publish = std::make_shared<Publish>();
    const double bytes = std::clamp(world_.work[piece].size * bytes_of_average, 1.0, double(zeros.size()));
    publish->append({zeros.data(), static_cast<std::size_t>(bytes)});
    publish->signalling = core::Signalling::all;
    publish->piece = piece;
    balancer_.offer(std::move(publish), now_);
  }

  void perform(base::Time now) {
    while (const auto action = balancer_.poll(now)) {
      if (const auto* settled = std::get_if<core::Settled>(&*action)) {
        outcome_.signalled[static_cast<const Publish&>(*settled->submission).piece] = seconds_of(now);
        --left_;
        while (first_open_ < next_piece_ && outcome_.signalled[first_open_] < forever) ++first_open_;
      } else if (const auto* connect = std::get_if<core::Connect>(&*action)) {
        const Endpoint& endpoint = world_.endpoints[connect->connection.worker];
        add(std::max(seconds_of(now), endpoint.joins) + endpoint.round_trip, connect->connection);
      } else if (const auto* disconnect = std::get_if<core::Disconnect>(&*action)) {
        balancer_.on_disconnected(disconnect->connection, now);
      } else if (const auto* send = std::get_if<core::Send>(&*action)) {
        const auto& submission = static_cast<const Publish&>(*send->batch.slices().front().buffer);
        const Piece& piece = world_.work[submission.piece];
        const double effort = times_served_[submission.piece] == 0 ? piece.effort : piece.again;
        const Server::Times times = servers_[send->worker].take(seconds_of(now), effort);
        if (times.served == forever) continue;
        outcome_.served[send->worker].push_back({times.served, effort});
        if (++times_served_[submission.piece] > 1) ++outcome_.duplicates;
        add(times.answered, send->attempt);
      }
    }
  }

  void add(double at, std::variant<core::ConnectionId, core::AttemptId> what) {
    events_.push({time_at(at), events_added_++, what});
  }

  const World& world_;
  double choose_seconds_ = 0;
  std::size_t choices_ = 0;
  core::Balancer balancer_;
  std::vector<Server> servers_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::size_t events_added_ = 0;
  std::size_t next_piece_ = 0;
  std::size_t first_open_ = 0;  ///< all before it are signalled
  std::size_t left_ = world_.work.size();
  base::Time now_{};
  std::vector<unsigned> times_served_;
  Outcome outcome_;
};

}  // namespace

Outcome run(const World& world, const MakePolicy& make_policy, std::uint64_t seed) {
  return Run(world, make_policy, seed).go();
}

Outcome run_clairvoyant(const World& world) {
  Outcome outcome;
  outcome.served.resize(world.endpoints.size());
  std::vector<Server> servers(world.endpoints.begin(), world.endpoints.end());
  std::vector<double> heard;  // in order
  for (const Piece& piece : world.work) {
    const std::size_t number = heard.size();
    const bool must_wait = world.in_order > 0 && number >= world.in_order;
    const double begin = must_wait ? std::max(piece.arrival, heard[number - world.in_order]) : piece.arrival;
    const auto answered = [&](const Server& server) { return server.finish(begin, piece.effort).answered; };
    const auto best = std::min_element(servers.begin(), servers.end(),
                                       [&](const Server& a, const Server& b) { return answered(a) < answered(b); });
    const Server::Times times = best->take(begin, piece.effort);
    outcome.signalled.push_back(times.answered);
    heard.push_back(number == 0 ? times.answered : std::max(heard.back(), times.answered));
    outcome.served[static_cast<std::size_t>(best - servers.begin())].push_back({times.served, piece.effort});
  }
  return outcome;
}

}  // namespace windlass::bench
