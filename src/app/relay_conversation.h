// What the relay says to one client, and when.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <system_error>

#include <windlass/event_buffer.h>
#include <windlass/signal.h>

#include "app/conversation.h"
#include "app/json_line.h"
#include "app/relay_report.h"
#include "base/bytes.h"
#include "base/time.h"
#include "protocol/lumberjack_server.h"

namespace windlass::app {

/// What a relay's conversations have in common; it outlives them.
class RelayIntake {
 public:
  struct Limits {
    /// Events go on in pieces of about this size, which are signalled one by one.
    std::size_t piece_events = 1024;
    std::size_t piece_bytes = std::size_t{256} << 10;
    /// A larger event is refused. With a piece it must fit into the queue.
    std::size_t event_bytes = std::size_t{10} << 20;
    /// While a client waits for an acknowledgement it hears something at least this often; Logstash's 5 s.
    base::Duration keep_alive_interval = std::chrono::seconds(5);
    /// For the next whole event of a window that has begun, and for the peer to take its answers.
    base::Duration window_timeout = std::chrono::seconds(60);
    /// For a word of a client that waits for nothing; 0: for ever.
    base::Duration inactivity_timeout = std::chrono::seconds(60);
  };

  explicit RelayIntake(const Limits& with) : limits(with) {}
  RelayIntake(const RelayIntake&) = delete;
  RelayIntake& operator=(const RelayIntake&) = delete;

  /// Hands events in, without waiting. No error: RelayConversation::settled() follows once, later. An error:
  /// errc::queue_full where there may be room later (try again when there is; `events` are left alone), errc::closed
  /// where nothing more is taken.
  virtual std::error_code publish(EventBuffer&& events, std::uint32_t client, std::uint32_t piece) = 0;
  /// Nobody is to be read: too much waits for room already.
  virtual bool reading_rests() const = 0;
  /// memory_held has grown.
  virtual void on_memory_held() = 0;

  const Limits limits;
  RelayCounters counters;
  JsonLineChecker json_checker;
  std::size_t memory_held = 0;  ///< by all conversations together, see RelayConversation::memory()

 protected:
  ~RelayIntake() = default;
};

/// Takes the windows of one Lumberjack client, hands their events in, and acknowledges as far as they are done: a part
/// of a window as soon as all before it is done, too.
///
/// An event is done when the signal of its publish says so: an endpoint has acknowledged it, or the dead letter has it.
/// An event that was dropped is never acknowledged: the conversation ends, and the client, which still has the event,
/// sends it again.
///
/// Events go on as they come, without waiting for the end of their window; but the last ones of a window only once its
/// checksums were right, so that no window is acknowledged in full that was damaged on the way. A client that goes away
/// loses nothing by it: what was handed in goes on to the endpoints.
class RelayConversation final : public Conversation {
 public:
  /// `client` is its number, for settled() to find it.
  RelayConversation(RelayIntake& intake, std::uint32_t client, base::Time now);
  ~RelayConversation() override;

  void receive(std::string_view bytes, base::Time now) override;
  bool wants_input() const override;
  std::uint64_t take(std::uint64_t most, base::Time now) override;
  bool has_more() const override { return has_more_ && !waiting_for_room_ && !ending(); }
  void handle_timeout(base::Time now) override;
  base::Time next_timeout() const override;
  /// Takes nothing more, and acknowledges what was handed in as it gets done.
  void stop(base::Time now) override;
  base::ByteQueue& output() override { return server_.output(); }
  bool finished() const override { return ending() && (pieces_.empty() || !acknowledges()); }
  Farewell farewell() const override;
  bool busy() const override { return server_.pending() > 0; }

  /// The signal of a publish.
  void settled(std::uint32_t piece, const Outcome& outcome, base::Time now);

  /// A publish found no room: go_on() is to be called when there may be some.
  bool waiting_for_room() const { return waiting_for_room_ && !ending(); }
  /// There may be room, or reading need not rest any more.
  void go_on(base::Time now);

  /// Bytes of memory for what was received and could not be handed in yet.
  std::size_t memory() const { return server_.memory() + events_.capacity(); }
  /// All of that waits for the peer, none of it for room or for a turn.
  bool waits_for_peer() const { return !ending() && !has_more_ && !waiting_for_room_; }
  /// The peer is to be cut: it holds too much of that.
  void cut_for_memory();

 private:
  struct Piece {
    std::uint32_t last;  // the number of its last event in the window
    bool ends_window;
    bool done = false;
  };

  bool ending() const { return end_ != RelayEnd::none; }
  /// An end that what was handed in before is waited for.
  bool acknowledges() const { return end_ == RelayEnd::none || end_ == RelayEnd::stopped || end_ == RelayEnd::dropped; }
  bool inside_window() const { return !window_complete_; }
  /// The peer waits for us; while reading rests, it may.
  bool owes() const { return !pieces_.empty() || has_more_ || waiting_for_room_ || intake_.reading_rests(); }
  void take_event(std::string_view payload);
  void hand_in();
  void acknowledge(base::Time now);
  void look_at_output(base::Time now);
  void count_memory();
  void end_with(RelayEnd end, std::string why = {});

  RelayIntake& intake_;
  const std::uint32_t client_;
  protocol::LumberjackServer server_;

  RelayEnd end_ = RelayEnd::none;
  std::string why_;
  bool has_more_ = false;           // bytes were received that may hold events
  bool waiting_for_room_ = false;   // what is in events_ was refused
  std::uint32_t window_count_ = 0;  // of the window of which events are taken: events in all,
  std::uint32_t window_taken_ = 0;  // and taken
  bool window_complete_ = true;     // it was received whole
  EventBuffer events_;              // taken, not handed in
  std::deque<Piece> pieces_;        // handed in, in their order, from the first one that is not done
  std::uint32_t first_piece_ = 0;   // its number
  std::size_t memory_counted_ = 0;  // of memory(), in the intake's sum
  base::Time spoke_at_;             // to the peer; or when it began to wait
  base::Time active_at_;            // either side said something
  base::Time progress_at_;          // a whole event came, or could have come
  base::Time output_taken_at_;      // the peer had taken its answers
};

}  // namespace windlass::app
