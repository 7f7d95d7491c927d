// A network in which every connection is a client that answers for whole batches: the balancer alone is under test.
#pragma once

#include <cstdint>
#include <vector>

#include "hosts.h"
#include "stage.h"

namespace windlass::sim {

/// Plans each answer when its batch is sent: well-behaved, or late, partial, repeated, out of range, failed, throttled,
/// mixed, never. Answers come even when their attempt or connection is long over, as they may from a client.
class Endpoints final : public Network {
 public:
  Endpoints(Stage& stage, Hosts& hosts, Inputs& inputs) : stage_(stage), hosts_(hosts), inputs_(inputs) {}

  void connect(core::ConnectionId connection) override;
  void disconnect(core::ConnectionId connection) override;
  void send(core::WorkerId worker, std::uint32_t attempt, const Batch& batch) override;
  void happened(const Happening& what) override;
  void went_down(core::WorkerId worker) override;

 private:
  struct Answer {
    std::uint32_t attempt = 0;
    PublishResult result;
  };

  std::uint32_t connection_of(core::WorkerId worker) const {
    return worker < connections_.size() ? connections_[worker] : 0;
  }
  void plan(core::WorkerId worker, std::uint32_t attempt, const Batch& batch);
  void lose_soon(core::WorkerId worker, base::Duration delay);
  void keep_alive(core::WorkerId worker);
  void answer_at(base::Time at, std::uint32_t attempt, const Batch& batch, PublishResult result);
  PublishResult failure(const Batch& batch);
  PublishResult mixed(const Batch& batch);
  PublishResult handed_back(const Batch& batch);
  PublishResult failing_poison(const Batch& batch) const;
  void reject_poison(PublishResult& result, const Batch& batch) const;
  std::uint32_t count_in(const Batch& batch);

  Stage& stage_;
  Hosts& hosts_;
  Inputs& inputs_;
  std::vector<std::uint32_t> connections_;  ///< by worker: the last one
  std::vector<Answer> answers_;
  std::vector<std::uint32_t> free_answers_;
};

}  // namespace windlass::sim
