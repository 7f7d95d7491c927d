// A world for the balancer's tests: virtual time, endpoints that do what the test says, and a record of what was heard.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/balancer.h"

namespace windlass::core {

using namespace std::chrono_literals;

/// Drives a Balancer by hand. settle() performs what the balancer wants: connects are answered by `connects`, disconnects at
/// once, and sends are put into `sent`, for the test to answer.
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
  };
  enum class OnConnect { accept, refuse, hang };

  explicit World(std::size_t workers, Options options = {}, WorkerOptions worker = {})
      : World(std::vector<WorkerOptions>(workers, worker), options) {}
  World(std::vector<WorkerOptions> workers, Options options = {}, std::uint64_t seed = 1)
      : connects(workers.size(), OnConnect::accept), balancer(options, std::move(workers), seed, now) {}

  /// Publishes `count` events together, and gives the publish a number.
  std::size_t publish(std::size_t count = 1, bool guaranteed = false) {
    const std::size_t number = heard.size();
    auto submission = std::make_shared<Submission>();
    for (std::size_t event = 0; event < count; ++event)
      submission->append(std::to_string(number) + "." + std::to_string(event));
    submission->guaranteed = guaranteed;
    submission->signalling = Signalling::all;
    numbers[submission.get()] = number;
    heard.emplace_back();
    refusal = balancer.offer(std::move(submission), now);
    run();
    return number;
  }

  /// Performs all that the balancer wants now.
  void run() {
    while (auto action = balancer.poll(now)) std::visit([&](const auto& one) { perform(one); }, *action);
    EXPECT_TRUE(balancer.ledger().balanced());
    EXPECT_EQ(balancer.held_events(), balancer.ledger().queued + balancer.ledger().in_flight);
  }

  /// Lets time pass, doing what is due when it is due.
  void pass(base::Duration duration) {
    const base::Time end = now + duration;
    while (balancer.next_timeout() <= end) {
      now = std::max(now, balancer.next_timeout());
      balancer.handle_timeout(now);
      run();
    }
    now = end;
    run();
  }

  void answer(AttemptId attempt, const PublishResult& result) {
    balancer.on_result(attempt, result, now);
    run();
  }
  /// Takes the oldest send that was not answered yet.
  Sent take() {
    EXPECT_FALSE(sent.empty()) << "nothing was sent";
    Sent first = sent.front();
    sent.pop_front();
    return first;
  }
  void lose(WorkerId worker, std::error_code error = errc::connection_lost) {
    balancer.on_lost(connection.at(worker), error, now);
    run();
  }

  base::Time now{1h};
  std::vector<OnConnect> connects;
  Balancer balancer;
  std::deque<Sent> sent;
  std::map<WorkerId, ConnectionId> connection;  ///< the last one that was wanted
  std::map<const Submission*, std::size_t> numbers;
  std::vector<Heard> heard;  ///< by publish
  std::vector<DeadLetter> dead_letters;
  std::error_code refusal;
  std::size_t connects_wanted = 0;

 private:
  void perform(const Settled& settled) {
    Heard& publish = heard.at(numbers.at(settled.submission.get()));
    ++publish.times;
    publish.reason = settled.reason;
    publish.acked = settled.submission->acked;
    publish.failed = settled.submission->failed;
  }
  void perform(const DeadLetter& letter) { dead_letters.push_back(letter); }
  void perform(const Disconnect& wanted) { balancer.on_disconnected(wanted.connection, now); }
  void perform(const Connect& wanted) {
    ++connects_wanted;
    const WorkerId worker = wanted.connection.worker;
    connection[worker] = wanted.connection;
    if (connects[worker] == OnConnect::accept) balancer.on_connected(wanted.connection, now);
    if (connects[worker] == OnConnect::refuse) balancer.on_lost(wanted.connection, errc::connect_failed, now);
  }
  void perform(const Send& send) { sent.push_back({send.worker, send.attempt, send.batch, now}); }
};

}  // namespace windlass::core
