// A world for the balancer's tests: virtual time, endpoints that do what the test says, and a record of what was heard.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/balancer.h"

namespace windlass::core {

using namespace std::chrono_literals;

/// Drives a Balancer. run() performs what it wants: connects are answered as `connects` says, disconnects at once;
/// sends go to the worker's endpoint where the test has given it one, else into `sent`, for the test to answer.
///
/// Whatever a test is about, the world checks at every step what must always hold: the ledger adds up, only workers
/// with a connection are given work, no window is exceeded, no event has two live attempts (or more than two copies on
/// two connections, where there is a budget for that), and no publish is signalled twice.
class World {
 public:
  struct Sent {
    WorkerId worker;
    AttemptId attempt;
    Batch batch;
    base::Time at;
  };
  struct Heard {
    std::uint64_t times = 0;
    std::error_code reason;
    std::uint32_t acked = 0;
    std::uint32_t failed = 0;
    base::Time at{};
  };
  enum class OnConnect { accept, refuse, hang };

  /// A server that works through its batches one by one.
  struct Endpoint {
    /// The answer to one batch; none: silence.
    std::function<std::optional<PublishResult>(const Batch&)> answer;
    /// How long it works on one batch; 0: the answer comes before anything else happens.
    base::Duration takes{0};

    std::uint64_t sends = 0;
    std::uint64_t delivered = 0;  ///< events that it acknowledged
    base::Time free_at{};
  };

  explicit World(std::size_t workers, Options options = {}, WorkerOptions worker = {})
      : World(std::vector<WorkerOptions>(workers, worker), options) {}
  World(std::vector<WorkerOptions> workers, Options options = {}, std::uint64_t seed = 1)
      : World(fixed_at(workers), workers, options, seed) {}
  World(std::unique_ptr<HandOutPolicy> policy, std::vector<WorkerOptions> workers, Options options = {},
        std::uint64_t seed = 1)
      : connects(workers.size(), OnConnect::accept),
        endpoints(workers.size()),
        balancer(options, workers, std::move(policy), seed, now),
        most_copies_(options.max_duplicates > 0 ? 2 : 1),
        workers_(std::move(workers)) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The publisher's side.

  /// Publishes `count` events together, and gives the publish a number.
  std::size_t publish(std::size_t count = 1, bool guaranteed = false) {
    auto submission = submission_of(count, heard.size());
    submission->guaranteed = guaranteed;
    submission->signalling = Signalling::all;
    return offer(std::move(submission), 1);
  }
  /// Publishes `count` events, each for itself, in one submission; gives the number of the first.
  std::size_t publish_each(std::size_t count) {
    auto submission = submission_of(count, heard.size());
    submission->signalling = Signalling::each;
    return offer(std::move(submission), count);
  }
  /// Publishes events of these sizes together.
  std::size_t publish_sizes(const std::vector<std::size_t>& sizes) {
    auto submission = std::make_shared<Submission>();
    for (const std::size_t size : sizes) submission->append(std::string(size, 'x'));
    submission->signalling = Signalling::all;
    return offer(std::move(submission), 1);
  }
  void drain(base::Duration deadline) {
    balancer.drain(now + deadline, now);
    run();
  }
  void close() {
    balancer.close(now);
    run();
  }

  // The owner's side.

  WorkerId join(WorkerOptions options = {}) { return join(options, Endpoint()); }
  WorkerId join(WorkerOptions options, Endpoint endpoint) {
    const WorkerId worker = balancer.add_worker(options, now);
    place(worker, options);
    endpoints[worker] = std::move(endpoint);
    run();
    return worker;
  }
  void remove(WorkerId worker, base::Duration within = 1h) {
    balancer.remove_worker(worker, now + within, now);
    run();
  }

  // The network's side.

  /// Performs all that the balancer wants now.
  void run() {
    for (std::size_t actions = 0; auto action = balancer.poll(now); ++actions) {
      std::visit([&](const auto& one) { perform(one); }, *action);
      check(balancer.ledger().balanced(), "the ledger does not add up");
      check(balancer.held_events() == balancer.ledger().queued + balancer.ledger().in_flight,
            "events are held that are nowhere");
      if (actions > 1'000'000) {
        check(false, "the balancer spins");
        return;
      }
    }
    check(balancer.ledger().balanced(), "the ledger does not add up");
  }

  /// Lets time pass, doing what is due when it is due.
  void pass(base::Duration duration) {
    const base::Time end = now + duration;
    while (std::min(next_on_agenda(), balancer.next_timeout()) <= end) {
      ++wake_ups;
      now = std::max(now, std::min(next_on_agenda(), balancer.next_timeout()));
      if (next_on_agenda() <= now) {
        auto first = agenda_.extract(agenda_.begin());
        first.mapped()();
      } else {
        balancer.handle_timeout(now);
      }
      run();
    }
    now = end;
    run();
  }
  /// Lets time pass until nothing is held, at most for `limit`. True when that came about.
  bool finish(base::Duration limit = 24h) {
    const base::Time end = now + limit;
    while (balancer.held_events() > 0 && now < end) {
      const base::Time next = std::min({next_on_agenda(), balancer.next_timeout(), end});
      pass(std::max(base::Duration(1), next - now));
    }
    return balancer.held_events() == 0;
  }
  /// Does something later.
  void after(base::Duration delay, std::function<void()> what) { agenda_.emplace(now + delay, std::move(what)); }

  void answer(AttemptId attempt, const PublishResult& result) {
    balancer.on_result(attempt, result, now);
    live_.erase(attempt);
    run();
  }
  void progress(AttemptId attempt, std::uint32_t count) {
    balancer.on_progress(attempt, count, now);
    run();
  }
  void alive(WorkerId worker) {
    balancer.on_alive(connection.at(worker), now);
    run();
  }
  /// Takes the oldest send that was not taken yet.
  Sent take() {
    if (sent.empty()) {
      ADD_FAILURE() << "nothing was sent";
      return {};
    }
    Sent first = sent.front();
    sent.pop_front();
    return first;
  }
  /// Takes the oldest send to this worker that was not taken yet.
  Sent take_from(WorkerId worker) {
    const auto place = std::find_if(sent.begin(), sent.end(), [&](const Sent& one) { return one.worker == worker; });
    if (place == sent.end()) {
      ADD_FAILURE() << "nothing was sent to worker " << worker;
      return {};
    }
    Sent found = *place;
    sent.erase(place);
    return found;
  }
  /// The connection ends, or cannot be made.
  void lose(WorkerId worker, std::error_code error = errc::connection_lost) {
    forget_live(worker);
    balancer.on_lost(connection.at(worker), error, now);
    run();
  }
  /// Whether a connect hangs.
  bool connecting(WorkerId worker) const { return hanging_.contains(worker); }
  /// Answers a connect that hangs.
  void accept(WorkerId worker) {
    hanging_.erase(worker);
    standing_.insert(worker);
    balancer.on_connected(connection.at(worker), now);
    run();
  }
  /// All endpoints answer, like this.
  void everywhere(const Endpoint& endpoint) { std::fill(endpoints.begin(), endpoints.end(), endpoint); }

  // What there is to see.

  const Ledger& ledger() const { return balancer.ledger(); }
  std::uint64_t dropped(errc reason) const {
    const auto found = ledger().dropped.find(reason);
    return found == ledger().dropped.end() ? 0 : found->second;
  }
  WorkerStatistics figures(WorkerId worker) const { return balancer.statistics(now).workers.at(worker); }
  WorkerState state(WorkerId worker) const { return figures(worker).state; }
  /// Publishes that were signalled without an error.
  std::size_t succeeded() const {
    return static_cast<std::size_t>(
        std::count_if(heard.begin(), heard.end(), [](const Heard& one) { return one.times > 0 && !one.reason; }));
  }
  std::size_t signalled() const {
    return static_cast<std::size_t>(
        std::count_if(heard.begin(), heard.end(), [](const Heard& one) { return one.times > 0; }));
  }
  /// Events that endpoints acknowledged, and how often.
  std::map<std::string, unsigned> delivered;

  base::Time now{1h};
  std::vector<OnConnect> connects;
  std::vector<Endpoint> endpoints;
  Balancer balancer;
  std::deque<Sent> sent;
  std::map<WorkerId, ConnectionId> connection;  ///< the last one that was wanted
  std::vector<Heard> heard;                     ///< by publish
  std::vector<DeadLetter> dead_letters;
  std::vector<WorkerId> left;     ///< in this order
  std::vector<Replace> replaced;  ///< in this order
  std::error_code refusal;        ///< of the last publish
  std::size_t connects_wanted = 0;
  std::size_t wake_ups = 0;  ///< how often something was due
  /// What did not hold, in the world's own checks.
  std::string broken;
  /// The checks fill `broken` only; the test looks at it.
  bool quiet = false;

 private:
  static std::unique_ptr<HandOutPolicy> fixed_at(const std::vector<WorkerOptions>& workers) {
    std::vector<unsigned> windows;
    for (const WorkerOptions& worker : workers) windows.push_back(worker.window);
    return fixed_windows(std::move(windows));
  }

  /// A worker has this id from now on.
  void place(WorkerId worker, WorkerOptions options) {
    const std::size_t count = std::max<std::size_t>(worker + 1, workers_.size());
    workers_.resize(count);
    connects.resize(count, OnConnect::accept);
    endpoints.resize(count);
    workers_[worker] = std::move(options);
  }

  using Event = std::pair<const EventBuffer*, std::uint32_t>;

  static std::shared_ptr<Submission> submission_of(std::size_t count, std::size_t number) {
    auto submission = std::make_shared<Submission>();
    for (std::size_t event = 0; event < count; ++event)
      submission->append(std::to_string(number) + "." + std::to_string(event));
    return submission;
  }

  std::size_t offer(std::shared_ptr<Submission> submission, std::size_t publishes) {
    const std::size_t number = heard.size();
    numbers_[submission.get()] = number;
    heard.resize(number + publishes);
    refusal = balancer.offer(std::move(submission), now);
    run();
    return number;
  }

  void check(bool holds, const char* what) {
    if (holds) return;
    if (broken.empty()) broken = what;
    if (!quiet) ADD_FAILURE() << what;
  }

  base::Time next_on_agenda() const { return agenda_.empty() ? base::never : agenda_.begin()->first; }

  void forget_live(WorkerId worker) {
    std::erase_if(live_, [&](const auto& one) { return one.second.worker == worker; });
    standing_.erase(worker);
    hanging_.erase(worker);
  }

  void hear(std::size_t number, std::error_code reason, std::uint32_t acked, std::uint32_t failed) {
    Heard& publish = heard.at(number);
    check(++publish.times == 1, "a publish is signalled twice");
    publish.reason = reason;
    publish.acked = acked;
    publish.failed = failed;
    publish.at = now;
  }

  void perform(const Settled& settled) {
    const Submission& submission = *settled.submission;
    const std::size_t number = numbers_.at(&submission);
    if (submission.signalling == Signalling::all)
      return hear(number, settled.reason, submission.acked, submission.failed);
    for (std::uint32_t event = settled.first; event < settled.first + settled.count; ++event)
      hear(number + event, settled.reason, settled.reason ? 0 : 1, settled.reason ? 1 : 0);
  }
  void perform(const DeadLetter& letter) { dead_letters.push_back(letter); }
  void perform(const Disconnect& wanted) {
    forget_live(wanted.connection.worker);
    balancer.on_disconnected(wanted.connection, now);
  }
  void perform(const Connect& wanted) {
    ++connects_wanted;
    const WorkerId worker = wanted.connection.worker;
    connection[worker] = wanted.connection;
    if (connects[worker] == OnConnect::accept) {
      standing_.insert(worker);
      balancer.on_connected(wanted.connection, now);
    }
    if (connects[worker] == OnConnect::hang) hanging_.insert(worker);
    if (connects[worker] == OnConnect::refuse) balancer.on_lost(wanted.connection, errc::connect_failed, now);
  }
  void perform(const Replace& wanted) {
    replaced.push_back(wanted);
    place(wanted.successor, workers_[wanted.worker]);
    connects[wanted.successor] = connects[wanted.worker];
    endpoints[wanted.successor] = endpoints[wanted.worker];
  }
  void perform(const Left& gone) {
    check(!standing_.contains(gone.worker), "a worker leaves with its connection");
    left.push_back(gone.worker);
  }
  void perform(const Send& send) {
    check(standing_.contains(send.worker), "a worker without a connection is given work");
    const Sent one{send.worker, send.attempt, send.batch, now};
    check(live_.emplace(send.attempt, one).second, "an attempt's id is used twice");
    std::size_t in_flight = 0;
    std::map<Event, std::set<WorkerId>> copies;
    for (const auto& [attempt, other] : live_) {
      in_flight += other.worker == send.worker;
      for (const Batch::Slice& slice : other.batch.slices())
        for (std::uint32_t event = slice.first; event < slice.first + slice.count; ++event) {
          std::set<WorkerId>& at = copies[{slice.buffer.get(), event}];
          check(at.insert(other.worker).second && at.size() <= most_copies_, "an event has too many live attempts");
        }
    }
    check(in_flight <= workers_[send.worker].window, "a window is exceeded");
    Endpoint& endpoint = endpoints[send.worker];
    if (!endpoint.answer) return sent.push_back(one);
    ++endpoint.sends;
    if (endpoint.takes == base::Duration::zero()) return serve(one);
    endpoint.free_at = std::max(now, endpoint.free_at) + endpoint.takes;
    agenda_.emplace(endpoint.free_at, [this, one] {
      if (live_.contains(one.attempt)) serve(one);
    });
  }

  void serve(const Sent& one) {
    Endpoint& endpoint = endpoints[one.worker];
    const std::optional<PublishResult> result = endpoint.answer(one.batch);
    if (!result) return;
    auto rest = result->rest.begin();
    for (std::uint32_t event = 0; event < std::min<std::size_t>(one.batch.size(), result->rest_from); ++event) {
      if (rest != result->rest.end() && rest->index == event) {
        ++rest;
        continue;
      }
      ++endpoint.delivered;
      ++delivered[std::string(one.batch[event])];
    }
    live_.erase(one.attempt);
    balancer.on_result(one.attempt, *result, now);
  }

  unsigned most_copies_;
  std::vector<WorkerOptions> workers_;
  std::map<const Submission*, std::size_t> numbers_;
  std::multimap<base::Time, std::function<void()>> agenda_;
  std::map<AttemptId, Sent> live_;
  std::set<WorkerId> standing_;
  std::set<WorkerId> hanging_;
};

/// An endpoint that acknowledges everything, `takes` after it began.
inline World::Endpoint acknowledging(base::Duration takes = {}) {
  return {[](const Batch&) { return PublishResult::acked(); }, takes};
}
/// An endpoint that fails everything with this.
inline World::Endpoint failing(std::error_code error, base::Duration takes = {}) {
  return {[error](const Batch&) { return PublishResult::failed(error); }, takes};
}
/// An endpoint that fails so many batches, and acknowledges what comes after.
inline World::Endpoint failing_first(unsigned times, std::error_code error, base::Duration takes = {}) {
  return {[error, left = times](const Batch&) mutable {
            if (left == 0) return PublishResult::acked();
            --left;
            return PublishResult::failed(error);
          },
          takes};
}
/// An endpoint that takes batches and says nothing.
inline World::Endpoint silent() {
  return {[](const Batch&) { return std::nullopt; }, {}};
}

}  // namespace windlass::core
