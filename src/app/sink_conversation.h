// What a sink says on one connection, and when.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "app/conversation.h"
#include "app/known_ids.h"
#include "app/recorder.h"
#include "app/sink_faults.h"
#include "app/sink_report.h"
#include "base/bytes.h"
#include "base/time.h"
#include "protocol/server_conversation.h"

namespace windlass::app {

/// Takes the events of one peer, records them, and acknowledges them, with the faults that were asked for.
///
/// Nothing is acknowledged before it is recorded, and the record is up to date with each sign of life, too. The peer is
/// given one every 5 s while it waits for an answer, as by Logstash. When nothing is owed to the peer and it says
/// nothing for idle_limit, it has finished().
class SinkConversation final : public Conversation {
 public:
  static constexpr base::Duration keep_alive_interval = std::chrono::seconds(5);
  static constexpr base::Duration keepalive_only_interval = std::chrono::seconds(1);
  static constexpr base::Duration idle_limit = std::chrono::minutes(1);

  /// Why the connection is to be closed.
  enum class End { none, fault, stopped, finished, protocol_error, idle, not_recorded };

  /// What is given by reference or pointer must outlive the conversation; no recorder: nothing is recorded.
  SinkConversation(std::unique_ptr<protocol::ServerConversation> server, const SinkFaults& faults, Recorder* recorder,
                   SinkCounters& counters, KnownIds& ids, base::Time now);

  void receive(std::string_view bytes, base::Time now) override;
  bool wants_input() const override { return !ending() && server_->wants_input(); }
  std::uint64_t take(std::uint64_t most, base::Time now) override;
  bool has_more() const override { return has_more_ && !ending(); }
  void handle_timeout(base::Time now) override;
  base::Time next_timeout() const override;
  /// Takes nothing more, and acknowledges at once what was taken (unless it never acknowledges).
  void stop(base::Time now) override;
  base::ByteQueue& output() override { return server_->output(); }
  bool finished() const override { return ending() && answers_.empty(); }
  Farewell farewell() const override;
  bool busy() const override { return server_->pending() > 0; }

  End end() const { return end_; }

 private:
  /// The oldest window that has no answer yet is to be acknowledged up to `count`.
  struct Answer {
    base::Time due;
    std::uint32_t count;
  };

  bool ending() const { return end_ != End::none; }
  bool owes() const { return has_more_ || whole_windows_ > 0; }
  void take_event(const protocol::ServerConversation::Event& event, base::Time now);
  /// Why the sink is not to take the event; nothing: it is.
  std::optional<protocol::ServerConversation::Refusal> refusal(const protocol::ServerConversation::Event& event);
  void answer_later(std::uint32_t count, base::Time now);
  bool flush_record();
  bool answer(base::Time now);
  void end_with(End end, base::Time now);
  base::Duration interval() const { return faults_.keepalive_only ? keepalive_only_interval : keep_alive_interval; }

  const SinkFaults& faults_;
  Recorder* const recorder_;
  SinkCounters& counters_;
  KnownIds& ids_;
  const std::unique_ptr<protocol::ServerConversation> server_;

  End end_ = End::none;
  bool has_more_ = false;
  std::uint64_t taken_ = 0;         // on this connection
  std::uint32_t window_count_ = 0;  // of the window that is being received: events in all,
  std::uint32_t window_taken_ = 0;  // and taken; 0 when it is complete
  std::size_t whole_windows_ = 0;   // taken whole, and not acknowledged
  std::deque<Answer> answers_;      // for the oldest windows, in their order
  base::Time spoke_at_;             // to the peer; or when it began to wait
  base::Time active_at_;            // either side said something
};

}  // namespace windlass::app
